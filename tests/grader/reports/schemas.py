"""JSON Schemas of other systems' formats, written from their specifications."""

from __future__ import annotations

from typing import Any

TEXT = {"type": "string"}
AMOUNT = {"type": "number", "minimum": 0}
VISIBILITY = {"enum": ["hidden", "after_due_date", "after_published", "visible"]}
TEXT_FORMAT = {"enum": ["text", "md", "simple_format", "ansi", "html"]}


def closed(required: str, optional: str = "", /, **properties: Any) -> dict[str, Any]:
    """An object with these keys and no others; without a schema of its own a key holds text."""
    names = f"{required} {optional}".split()
    return {
        "type": "object",
        "additionalProperties": False,
        "required": required.split(),
        "properties": {name: properties.get(name, TEXT) for name in names},
    }


def several(item: Any, **more: Any) -> dict[str, Any]:
    """A list of such items."""
    return {"type": "array", "items": item, **more}


GRADESCOPE = closed(
    "tests",
    "score execution_time output output_format test_output_format test_name_format visibility "
    "stdout_visibility extra_data leaderboard",
    score=AMOUNT,
    execution_time=AMOUNT,
    output_format=TEXT_FORMAT,
    test_output_format=TEXT_FORMAT,
    test_name_format=TEXT_FORMAT,
    visibility=VISIBILITY,
    stdout_visibility=VISIBILITY,
    extra_data={"type": "object"},
    leaderboard=several(closed("name value", "order")),
    tests=several(
        closed(
            "",
            "score max_score status name name_format number output output_format tags visibility "
            "extra_data",
            score=AMOUNT,
            max_score=AMOUNT,
            status={"enum": ["passed", "failed"]},
            name_format=TEXT_FORMAT,
            output_format=TEXT_FORMAT,
            tags=several(TEXT),
            visibility=VISIBILITY,
            extra_data={"type": "object"},
        )
    ),
)

EXERCISM = closed(
    "version status tests",
    "message",
    version={"const": 3},
    status={"enum": ["pass", "fail", "error"]},
    message={"type": "string", "minLength": 1, "maxLength": 65_535},
    tests=several(
        closed(
            "name test_code status",
            "message output task_id",
            status={"enum": ["pass", "fail", "error"]},
            message={"type": "string", "maxLength": 65_535},
            output={"type": "string", "maxLength": 500},
            task_id={"type": "integer", "minimum": 1},
        )
    ),
) | {
    "if": {"properties": {"status": {"const": "error"}}},
    "then": {"required": ["message"], "properties": {"tests": {"maxItems": 0}}},
}

IMAGES = several(closed("url", "label"))
PRAIRIELEARN = closed(
    "gradable",
    "score message output format_errors images tests",
    gradable={"type": "boolean"},
    score={"type": "number", "minimum": 0, "maximum": 1},
    format_errors=several(TEXT),
    images=IMAGES,
    tests=several(
        closed(
            "name points max_points",
            "description message output images",
            points=AMOUNT,
            max_points=AMOUNT,
            images=IMAGES,
        )
    ),
) | {
    "if": {"properties": {"gradable": {"const": True}}},
    "then": {"required": ["score"]},
    "else": {"required": ["format_errors"], "not": {"required": ["score"]}},
}

OR_NULL = {"type": ["string", "null"]}
CHECK50 = closed(
    "slug results version",
    results=several(
        closed(
            "name description passed log cause data dependency",
            passed={"type": ["boolean", "null"]},
            log=several(TEXT),
            data={"type": "object"},
            dependency=OR_NULL,
            cause={
                "oneOf": [
                    {"type": "null"},
                    closed(
                        "rationale help",
                        "expected actual error",
                        help=OR_NULL,
                        error=closed(
                            "type value traceback data",
                            traceback=several(TEXT),
                            data={"type": "object"},
                        ),
                    ),
                ]
            },
        )
    ),
)

MOMENT = {
    "type": "string",
    "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$",
}
LTI = several(
    closed(
        "userId timestamp activityProgress gradingProgress",
        "scoreGiven scoreMaximum comment",
        # AGS 2.0 asks for fractions of a second.
        timestamp={"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z$"},
        scoreGiven=AMOUNT,
        scoreMaximum={"type": "number", "exclusiveMinimum": 0},
        activityProgress={
            "enum": ["Initialized", "Started", "InProgress", "Submitted", "Completed"]
        },
        gradingProgress={"enum": ["FullyGraded", "Pending", "PendingManual", "Failed", "NotReady"]},
    )
    | {
        "dependentRequired": {"scoreGiven": ["scoreMaximum"]},
        "if": {"properties": {"gradingProgress": {"const": "FullyGraded"}}},
        "then": {"required": ["scoreGiven"]},
        "else": {"not": {"required": ["scoreGiven"]}},
    }
)

IRI = {"type": "string", "pattern": r"^https?://[^\s<>\"{}|\\^`]+$"}
UUID = {"type": "string", "pattern": "^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$"}
LANGUAGES = {"type": "object", "additionalProperties": TEXT}
AGENT = closed(
    "objectType name",
    "mbox account",
    mbox={"type": "string", "pattern": r"^mailto:[^@\s]+@[^@\s]+$"},
    account=closed("homePage name", homePage=IRI),
) | {"oneOf": [{"required": ["mbox"]}, {"required": ["account"]}]}
XAPI = several(
    closed(
        "id actor verb object timestamp",
        "result",
        id=UUID,
        actor=AGENT,
        verb=closed("id display", id=IRI, display=LANGUAGES),
        object=closed(
            "objectType id definition",
            objectType={"const": "Activity"},
            id=IRI,
            definition=closed("type name", type=IRI, name=LANGUAGES),
        ),
        timestamp=MOMENT,
        result=closed(
            "score success completion",
            "duration",
            score=closed(
                "raw",
                "scaled min max",
                raw=AMOUNT,
                min=AMOUNT,
                max=AMOUNT,
                scaled={"type": "number", "minimum": -1, "maximum": 1},
            ),
            success={"type": "boolean"},
            completion={"type": "boolean"},
            duration={"type": "string", "pattern": r"^PT\d+(\.\d+)?S$"},
        ),
    )
)
