"""Control channels carry messages with their descriptors, and tell when the other side has gone."""

from __future__ import annotations

import os
import socket
import sys

import pytest

from grader.worker import control


def test_a_control_message_brings_its_descriptors() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs, open("/dev/null") as file:
        control.send(ours, {"op": "run"}, [file.fileno()])
        received = control.receive(theirs)
        assert received is not None
        message, [descriptor] = received
        assert message == {"op": "run"}
        with open(descriptor) as copy:
            assert copy.fileno() != file.fileno()


def test_a_control_message_may_arrive_in_pieces() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        for piece in (b'{"op"', b": ", b'"reset"}', b"\n"):
            ours.sendall(piece)
        assert control.receive(theirs) == ({"op": "reset"}, [])


def test_messages_that_were_sent_before_anybody_read_are_read_one_by_one() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs, open("/dev/null") as file:
        control.send(ours, {"server": "there"})
        control.send(ours, {"op": "check"}, [file.fileno()])
        control.send(ours, {"op": "end"})
        assert control.receive(theirs) == ({"server": "there"}, [])
        received = control.receive(theirs)
        assert received is not None
        message, [descriptor] = received
        os.close(descriptor)
        assert message == {"op": "check"}
        assert control.receive(theirs) == ({"op": "end"}, [])


@pytest.mark.parametrize("unread", [b"", b"x"], ids=["read", "unread"])
def test_a_control_channel_tells_when_the_other_side_has_gone(unread: bytes) -> None:
    ours, theirs = socket.socketpair()
    with theirs:
        with ours:
            theirs.sendall(unread)
        assert control.receive(theirs) is None
        with pytest.raises(OSError, match="Broken pipe"):
            control.send(theirs, {"op": "run"}, [theirs.fileno()])


def test_whoever_has_read_a_message_may_have_gone_before_it_is_known_to_be_sent(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ours, theirs = socket.socketpair()

    def send_and_be_late(channel: socket.socket, data: list[bytes], fds: list[int]) -> int:
        sent = really_send(channel, data, fds)
        with theirs:
            received = control.receive(theirs)
        assert received is not None
        os.close(received[1][0])
        return sent

    really_send = socket.send_fds
    monkeypatch.setattr(socket, "send_fds", send_and_be_late)
    with ours:
        control.send(ours, {"op": "run"}, [ours.fileno()])
    assert theirs.fileno() == -1


def test_a_control_channel_that_stays_silent_is_given_up() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.settimeout(0.01)
        with pytest.raises(TimeoutError):
            control.receive(theirs)


@pytest.mark.skipif(
    sys.platform != "linux",
    reason="SO_PASSCRED is Linux's own; what is told elsewhere is the next test",
)
def test_who_has_sent_a_message_is_told_by_the_kernel() -> None:
    ours, theirs = socket.socketpair()
    control.tell_senders(ours)
    with ours:
        child = os.fork()
        if child == 0:
            control.send(theirs, {"cell": 1})
            os._exit(0)
        theirs.close()
        os.waitpid(child, 0)
        assert control.sender(ours) == child
        assert control.receive(ours) == ({"cell": 1}, [])
        assert control.sender(ours) == 0
        assert control.receive(ours) is None


def test_where_nobody_has_asked_nobody_is_told() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        control.send(theirs, {"cell": 1})
        assert control.sender(ours) == 0
        assert control.receive(ours) == ({"cell": 1}, [])
