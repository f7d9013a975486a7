"""The tables, one module a topic. Importing this package makes all of them known."""

from tracker.models.accounts import Organization, Role, User
from tracker.models.analytics import TrackAnalytics
from tracker.models.assessment import Certificate, Question, QuestionKind, Quiz, QuizAttempt
from tracker.models.base import Base
from tracker.models.catalog import Difficulty, Track, TrackPrerequisite
from tracker.models.content import (
    Lesson,
    LessonKind,
    Media,
    MediaKind,
    Module,
    Section,
    SectionKind,
)
from tracker.models.learning import (
    AIInteraction,
    AIInteractionKind,
    Enrollment,
    EnrollmentStatus,
    LessonProgress,
    SectionProgress,
    TrackProgress,
)
from tracker.models.payments import Payment, PaymentStatus
from tracker.models.policies import POLICIES
from tracker.models.practice import (
    AttemptSource,
    CheckOutcome,
    CheckResult,
    ExerciseAttempt,
    HintTaken,
    Prediction,
    PredictionKind,
)
from tracker.models.sign_in import LoginSession, OAuthAccount, TokenPurpose, VerificationToken
from tracker.models.views import ViewRefresh

__all__ = [
    "POLICIES",
    "AIInteraction",
    "AIInteractionKind",
    "AttemptSource",
    "Base",
    "Certificate",
    "CheckOutcome",
    "CheckResult",
    "Difficulty",
    "Enrollment",
    "EnrollmentStatus",
    "ExerciseAttempt",
    "HintTaken",
    "Lesson",
    "LessonKind",
    "LessonProgress",
    "LoginSession",
    "Media",
    "MediaKind",
    "Module",
    "OAuthAccount",
    "Organization",
    "Payment",
    "PaymentStatus",
    "Prediction",
    "PredictionKind",
    "Question",
    "QuestionKind",
    "Quiz",
    "QuizAttempt",
    "Role",
    "Section",
    "SectionKind",
    "SectionProgress",
    "TokenPurpose",
    "Track",
    "TrackAnalytics",
    "TrackPrerequisite",
    "TrackProgress",
    "User",
    "VerificationToken",
    "ViewRefresh",
]
