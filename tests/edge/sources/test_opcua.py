"""OPC UA sources against a real server."""

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from asyncua import ua
from asyncua.ua.status_codes import StatusCodes
from hypothesis import given
from hypothesis import strategies as st

from edge.source import Source
from edge.sources.opcua import source as opcua
from edge.sources.opcua.browse import browse
from edge.sources.opcua.status import overflowed, quality
from edge.sources.opcua.table import OpcUaDevice, Policy
from schemas.errors import ConfigError, DeviceDown
from schemas.instant import to_ms
from schemas.quality import Quality
from schemas.reading import Reading
from tests.edge.sources.files import load_source
from tests.edge.sources.opcua_server import OpcUaServer, Pair, Users
from tests.edge.sources.talk import gather, once, talk

POTS = ("line/pot-1/voltage", "line/pot-2/voltage", "line/pot-3/voltage")
NOON = to_ms(datetime(2026, 1, 2, 3, 4, tzinfo=UTC))


@pytest.fixture(scope="module")
def open_server() -> Iterator[OpcUaServer]:
    """A server without security; it takes a second or two to start."""
    with OpcUaServer() as made:
        yield made


@pytest.fixture
def server(open_server: OpcUaServer) -> OpcUaServer:
    """The same, with its nodes as they were."""
    for number in range(3):
        open_server.write(number, 0.0)
    return open_server


@pytest.fixture(scope="module")
def pairs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Pair]:
    """Certificates of server, agent and user."""
    folder = tmp_path_factory.mktemp("pki")
    return {name: Pair.make(folder, name) for name in ("server", "agent", "user")}


@pytest.fixture(scope="module")
def secure_server(pairs: dict[str, Pair]) -> Iterator[OpcUaServer]:
    """A server that wants a policy, and a password or a certificate of its user."""
    with OpcUaServer(
        pair=pairs["server"],
        policies=[
            ua.SecurityPolicyType.Basic256Sha256_SignAndEncrypt,
            ua.SecurityPolicyType.Basic256Sha256_Sign,
            ua.SecurityPolicyType.Aes128Sha256RsaOaep_SignAndEncrypt,
            ua.SecurityPolicyType.Aes256Sha256RsaPss_SignAndEncrypt,
        ],
        users=Users("ertis", "right", pairs["user"].certificate.read_bytes()),
        tokens=[ua.UserNameIdentityToken, ua.X509IdentityToken],
    ) as made:
        yield made


def device(folder: Path, url: str, more: str = "", tag: str = "") -> OpcUaDevice:
    """The device of a file with the three pots as v0, v1, v2."""
    made = load_source(
        folder,
        f"""
type = "opcua"
device = "dcs"
url = "{url}"
publish_s = 0.05
keep_alive_s = 0.2
timeout_s = 2.0
{more}

[[source.tag]]
path = "line/pot-{{1..3}}/voltage"
node = "nsu=urn:plant;s=v{{0..2}}"
max_silence_s = 0
{tag}
""",
    )
    assert isinstance(made, OpcUaDevice)
    return made


def all_three(readings: list[Reading]) -> bool:
    """Whether every pot has a reading."""
    return {reading.tag for reading in readings} == set(POTS)


def test_value_status_and_time_are_the_servers(tmp_path: Path, server: OpcUaServer) -> None:
    """Good, uncertain and bad (asyncua sends no value then), each with the time of its source."""
    server.write(0, 4.25, second=1)
    server.write(1, 4.5, second=2, status=StatusCodes.UncertainLastUsableValue)
    server.write(2, 4.75, second=3, status=StatusCodes.BadSensorFailure)

    readings = talk(device(tmp_path, server.url), lambda source: gather(source, all_three))

    assert readings == [
        Reading(POTS[0], NOON + 1000, 4.25, Quality.GOOD),
        Reading(POTS[1], NOON + 2000, 4.5, Quality.UNCERTAIN),
        Reading(POTS[2], NOON + 3000, None, Quality.BAD),
    ]


def test_a_change_comes_by_itself(tmp_path: Path, server: OpcUaServer) -> None:
    """Without a scan that asks for it, and nothing else with it."""

    async def work(source: Source) -> list[Reading]:
        await gather(source, all_three)
        await asyncio.to_thread(server.write, 1, 7.0, second=9)
        return await gather(source, bool)

    readings = talk(device(tmp_path, server.url), work)

    assert readings == [Reading(POTS[1], NOON + 9000, 7.0)]


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_no_number_is_a_bad_reading_without_a_value(
    tmp_path: Path, server: OpcUaServer, value: float
) -> None:
    """A broken sensor whose server calls it good."""
    server.write(0, value, second=1)

    readings = talk(device(tmp_path, server.url), lambda source: gather(source, all_three))

    assert readings[0] == Reading(POTS[0], NOON + 1000, None, Quality.BAD)


def test_the_server_withholds_what_is_within_the_deadband(
    tmp_path: Path, server: OpcUaServer
) -> None:
    """In units of the node: 0.5 V of the tag are 500 mV of the node."""
    made = device(tmp_path, server.url, tag="deadband = 0.5\nscale = 0.001")

    async def work(source: Source) -> list[Reading]:
        await gather(source, all_three)
        await asyncio.to_thread(server.write, 0, 400.0, second=1)
        await asyncio.to_thread(server.write, 0, 4000.0, second=2)
        return await gather(source, bool)

    assert talk(made, work) == [Reading(POTS[0], NOON + 2000, 4.0)]


def test_a_deadband_of_the_servers_range_is_asked_for_in_per_cent(
    tmp_path: Path, server: OpcUaServer
) -> None:
    """Asyncua takes the filter and leaves it out: every change comes, and none is lost."""
    made = device(tmp_path, server.url, tag="deadband_percent = 5.0")

    async def work(source: Source) -> list[Reading]:
        await gather(source, all_three)
        await asyncio.to_thread(server.write, 0, 1.0, second=1)
        return await gather(source, bool)

    assert talk(made, work) == [Reading(POTS[0], NOON + 1000, 1.0)]


def test_a_linear_tag_has_no_deadband_on_the_server(tmp_path: Path) -> None:
    """Its line needs the last reading before a change, which only the agent can add."""
    made = load_source(
        tmp_path,
        'type = "opcua"\ndevice = "d"\nurl = "opc.tcp://h:1"\n'
        '[[source.tag]]\npath = "line/temperature"\nnode = "i=5"\ndeadband = 1.0\n'
        '[[source.tag]]\npath = "line/current"\nnode = "i=6"\n',
    )

    assert isinstance(made, OpcUaDevice)
    assert made.items[0].deadband is None
    assert made.items[1].deadband is not None


def test_a_node_that_is_not_there_is_bad_until_it_is(
    tmp_path: Path, server: OpcUaServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The others are read; it is asked for again, as long as the connection holds."""
    monkeypatch.setattr(opcua, "_ASK_AGAIN_S", 0.1)
    made = device(
        tmp_path,
        server.url,
        tag='[[source.tag]]\npath = "line/current"\nnode = "nsu=urn:plant;s=v3"\n',
    )

    async def load_program() -> None:
        index = await server.server.get_namespace_index("urn:plant")
        await server.add(server.server.nodes.objects, index, "v3")

    async def work(source: Source) -> tuple[list[Reading], list[Reading]]:
        before = await gather(source, lambda readings: len(readings) >= 4)
        await asyncio.to_thread(server.do, load_program())
        return before, await gather(source, bool)

    before, after = talk(made, work)

    assert {r.tag: r.quality for r in before} == {
        **dict.fromkeys(POTS, Quality.GOOD),
        "line/current": Quality.BAD,
    }
    assert [(r.tag, r.value, r.quality) for r in after] == [("line/current", 0.0, Quality.GOOD)]


def test_a_server_that_goes_is_down_and_found_again(tmp_path: Path, server: OpcUaServer) -> None:
    """Its stop is noticed by itself, nobody listens meanwhile, then everything is there again."""

    async def work(source: Source) -> list[Reading]:
        await gather(source, all_three)
        await asyncio.to_thread(server.hang_up)
        with pytest.raises(DeviceDown, match=r"dcs at opc\.tcp"):
            await gather(source, lambda _readings: False)
        with pytest.raises(DeviceDown):
            await source.scan()
        await asyncio.to_thread(server.listen)
        await asyncio.to_thread(server.write, 0, 8.0, second=1)
        return await gather(source, all_three)

    assert talk(device(tmp_path, server.url), work)[0] == Reading(POTS[0], NOON + 1000, 8.0)


def test_a_subscription_that_died_in_silence_is_made_anew(
    tmp_path: Path, server: OpcUaServer
) -> None:
    """Session and connection are well; only the signs of life are missing."""
    made = device(tmp_path, server.url)

    async def kill_subscriptions() -> None:
        service = server.server.iserver.subscription_service
        for subscription in list(service.subscriptions.values()):
            await subscription.stop()
        service.subscriptions.clear()

    async def work(source: Source) -> list[Reading]:
        await gather(source, all_three)
        await asyncio.to_thread(server.do, kill_subscriptions())
        with pytest.raises(DeviceDown, match="its subscription was silent for"):
            await gather(source, lambda _readings: False)
        return await gather(source, all_three)

    assert len(talk(made, work)) == 3


def test_another_address_changes_host_and_port_alone(tmp_path: Path) -> None:
    """As --source asks."""
    table = device(tmp_path, "opc.tcp://10.0.0.5:4840/dcs").table

    assert table.moved("localhost", 4841).url == "opc.tcp://localhost:4841/dcs"


def security(pairs: dict[str, Pair], policy: str, mode: str = "SignAndEncrypt") -> str:
    """The key ``security`` of an agent that has its certificate."""
    return (
        f'security = {{ policy = "{policy}", mode = "{mode}", '
        f'certificate_file = "{pairs["agent"].certificate}", key_file = "{pairs["agent"].key}", '
        f'server_certificate_file = "{pairs["server"].certificate}" }}\n'
    )


@pytest.mark.parametrize("policy", [policy for policy in Policy if policy is not Policy.NONE])
def test_security_policies_with_a_user_and_a_password(
    tmp_path: Path,
    pairs: dict[str, Pair],
    secure_server: OpcUaServer,
    monkeypatch: pytest.MonkeyPatch,
    policy: Policy,
) -> None:
    """Signed and encrypted; the password comes from the environment."""
    monkeypatch.setenv("DCS_PASSWORD", "right")
    user = 'user = { name = "ertis", password = { env = "DCS_PASSWORD" } }'
    made = device(tmp_path, secure_server.url, security(pairs, policy) + user)

    readings = talk(made, lambda source: gather(source, all_three))

    assert len(readings) == 3


def test_a_wrong_password_is_refused_and_not_shown(
    tmp_path: Path, pairs: dict[str, Pair], secure_server: OpcUaServer
) -> None:
    """It is tried again, since the server may learn it; the secret is in no message."""
    (tmp_path / "password").write_text("swordfish\n")
    user = f'user = {{ name = "ertis", password = {{ file = "{tmp_path}/password" }} }}'
    made = device(tmp_path, secure_server.url, security(pairs, "Basic256Sha256") + user)

    with pytest.raises(DeviceDown, match="BadUserAccessDenied") as refused:
        talk(made, once)

    assert "swordfish" not in str(refused.value)


def test_a_user_may_show_a_certificate(
    tmp_path: Path, pairs: dict[str, Pair], secure_server: OpcUaServer
) -> None:
    """Token X509 beside the certificate of the channel, which is signed and not encrypted."""
    user = (
        f'user = {{ certificate_file = "{pairs["user"].certificate}", '
        f'key_file = "{pairs["user"].key}" }}'
    )
    made = device(tmp_path, secure_server.url, security(pairs, "Basic256Sha256", "Sign") + user)

    readings = talk(made, lambda source: gather(source, all_three))

    assert len(readings) == 3


def test_another_server_than_the_named_one_is_not_talked_to(
    tmp_path: Path, pairs: dict[str, Pair], secure_server: OpcUaServer
) -> None:
    """Its certificate is not the one in the file: whoever it is cannot read what we send."""
    other = pairs | {"server": pairs["user"]}
    made = device(tmp_path, secure_server.url, security(other, "Basic256Sha256"))

    with pytest.raises(DeviceDown):
        talk(made, once)


def test_a_missing_file_or_secret_is_said_at_the_start(
    tmp_path: Path, pairs: dict[str, Pair]
) -> None:
    """Not at the first connection, where it would look like a server that is down."""
    table = security(pairs | {"agent": Pair(tmp_path / "no.der", tmp_path / "no.pem")}, "None")
    with pytest.raises(ConfigError, match=r"no\.der'; name a file that can be read"):
        device(tmp_path, "opc.tcp://h:1", table).open({})
    user = 'user = { name = "ertis", password = { env = "NO_SUCH_VARIABLE" } }'
    with pytest.raises(ConfigError, match="set this variable"):
        device(tmp_path, "opc.tcp://h:1", user).open({})


def test_browsing_lists_variables_with_what_they_read(tmp_path: Path, server: OpcUaServer) -> None:
    """Below the Objects folder, without the server's own state."""
    server.write(1, 4.5, second=2)

    async def found() -> dict[str, tuple[str, float | None]]:
        table = device(tmp_path, server.url).table
        return {"/".join(one.names): (one.node, one.now.value) async for one in browse(table)}

    variables = asyncio.run(found())

    assert variables["line/v1"] == ("ns=2;s=v1", 4.5)
    assert not any(path.startswith("Server/") for path in variables)


@given(st.integers(0, 2**32 - 1))
def test_quality_is_the_severity_of_the_status(code: int) -> None:
    """Part 4, 7.39.1: the two highest bits; the reserved 11 is bad."""
    expected = {"00": Quality.GOOD, "01": Quality.UNCERTAIN}.get(f"{code:032b}"[:2], Quality.BAD)

    assert quality(code) is expected


def test_the_overflow_bit_counts_in_data_values_alone() -> None:
    """Part 4, 7.39.1: InfoType DataValue (01) and Overflow."""
    assert overflowed(0x480)
    assert not overflowed(0x400)
    assert not overflowed(0x080)


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("publsh_s = 1", r"source\.0\.publsh_s.*did you mean 'publish_s'"),
        ('user = { name = "x" }', "give name and password, or certificate_file and key_file"),
        ('user = { name = "x", password = "plain" }', r"source\.0\.user\.password"),
        ('security = { policy = "Basic256" }', "Basic256Sha256"),
        ('security = { policy = "Basic256Sha256" }', "needs certificate_file"),
        ('[[source.tag]]\npath = "line/current"\nnode = "Pot"', r"tag\.0\.node"),
        (
            '[[source.tag]]\npath = "line/pot-{1..3}/voltage"\nnode = "i={1..2}"',
            "stands for 2 places, path for 3",
        ),
        ('[[source.tag]]\npath = "line/current"\nnod = "i=1"', "did you mean 'node'"),
    ],
)
def test_a_wrong_table_says_what_would_be_right(tmp_path: Path, source: str, message: str) -> None:
    """As for any other source."""
    with pytest.raises(ConfigError, match=message):
        load_source(tmp_path, f'type = "opcua"\ndevice = "d"\nurl = "opc.tcp://h:1"\n{source}')
