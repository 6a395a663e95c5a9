import socket
from collections.abc import Iterator

import pytest

from deploy.local.errors import LocalError
from deploy.local.ports import Ports


@pytest.fixture
def ports() -> Iterator[Ports]:
    ports = Ports()
    yield ports
    ports.close()


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield int(server.getsockname()[1])


def test_another_port_is_taken_when_the_usual_one_is_not_free(ports: Ports, taken: int) -> None:
    assert ports.reserve(taken) not in (0, taken)


def test_a_port_taken_on_all_addresses_is_not_free(ports: Ports) -> None:
    with socket.create_server(("0.0.0.0", 0)) as server:
        port = int(server.getsockname()[1])
        assert ports.reserve(port) != port


def test_a_port_that_somebody_named_is_had_or_refused_by_name(ports: Ports, taken: int) -> None:
    with pytest.raises(LocalError, match=f"port {taken} of DIARY_GATEWAY_PORT .*taken by another program"):
        ports.reserve_named(taken, "DIARY_GATEWAY_PORT")


def test_a_number_that_is_no_port_is_refused_by_name(ports: Ports) -> None:
    with pytest.raises(LocalError, match="port 70000 of DIARY_PORTAL_PORT"):
        ports.reserve_named(70000, "DIARY_PORTAL_PORT")


def test_a_reserved_port_is_nobody_elses_until_released(ports: Ports) -> None:
    port = ports.reserve(0)
    other = Ports()
    assert other.reserve(port) != port
    ports.release(port)
    assert other.reserve(port) == port
    other.close()


def test_a_port_with_lingering_connections_is_free_again(ports: Ports) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = int(server.getsockname()[1])
        with socket.create_connection(("127.0.0.1", port)) as client:
            accepted, _ = server.accept()
            # The server closes first, so that the port's side is the one in TIME_WAIT.
            accepted.close()
            assert client.recv(1) == b""
    assert ports.reserve(port) == port


def test_a_shared_port_is_its_childs_and_no_outgoing_connections(ports: Ports) -> None:
    port = ports.reserve(0)
    ports.share(port)
    with socket.socket() as child:
        child.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        child.bind(("127.0.0.1", port))
        child.listen()
        with socket.create_connection(("127.0.0.1", port)):
            accepted, _ = child.accept()
            accepted.close()
    with socket.socket() as outgoing, pytest.raises(OSError, match="in use"):
        outgoing.bind(("127.0.0.1", port))
