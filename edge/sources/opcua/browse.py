"""What variables an OPC UA server has."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Final

from asyncua import ua
from asyncua.client.client import Client
from asyncua.ua.attribute_ids import AttributeIds
from asyncua.ua.object_ids import ObjectIds
from asyncua.ua.uaerrors import UaError

from edge.sources.opcua.session import connect, disconnect
from edge.sources.opcua.status import reading
from edge.sources.opcua.table import Item, OpcUaTable
from schemas.errors import DeviceDown
from schemas.reading import Reading

#: Nodes that one request asks for.
_NODES_A_CALL: Final = 500
#: The server's own state is under this object: nothing of the plant.
_SERVER: Final = ua.NodeId.from_string(f"i={ObjectIds.Server}")
_OBJECTS: Final = ua.NodeId.from_string(f"i={ObjectIds.ObjectsFolder}")
_HIERARCHICAL: Final = ua.NodeId.from_string(f"i={ObjectIds.HierarchicalReferences}")


@dataclass(frozen=True, slots=True)
class Variable:
    """A variable: its node id, the browse names that lead to it, and what it reads now."""

    node: str
    names: Sequence[str]
    now: Reading


async def browse(table: OpcUaTable, root: str | None = None) -> AsyncIterator[Variable]:
    """Every variable below *root* (the Objects folder), once, level by level.

    A variable without a number, a text for instance, has a bad reading without a value.

    Raises
    ------
    DeviceDown
        The server cannot be reached, refuses, or goes.
    ConfigError
        A certificate, key or secret cannot be read.
    """
    try:
        client = await connect(table)
    except (UaError, OSError, TimeoutError) as error:
        raise DeviceDown(f"{table.url}: {error!r}") from error
    try:
        start = _OBJECTS if root is None else ua.NodeId.from_string(root)
        level: list[tuple[ua.NodeId, tuple[str, ...]]] = [(start, ())]
        seen = {start, _SERVER}
        while level:
            found = [
                (reference, names)
                for at in range(0, len(level), _NODES_A_CALL)
                for reference, names in await _children(client, level[at : at + _NODES_A_CALL])
            ]
            level = []
            variables: list[tuple[ua.NodeId, tuple[str, ...]]] = []
            for reference, names in found:
                # As an id without server and namespace URI: the same node is met on many ways.
                node = ua.NodeId(reference.NodeId.Identifier, reference.NodeId.NamespaceIndex)
                if node in seen:
                    continue
                seen.add(node)
                level.append((node, (*names, reference.BrowseName.Name)))
                if reference.NodeClass is ua.NodeClass.Variable:
                    variables.append(level[-1])
            for at in range(0, len(variables), _NODES_A_CALL):
                for variable in await _read(client, variables[at : at + _NODES_A_CALL]):
                    yield variable
    except (UaError, OSError, TimeoutError) as error:
        raise DeviceDown(f"{table.url}: {error!r}") from error
    finally:
        await disconnect(client, table.timeout_s)


async def _children(
    client: Client, nodes: Sequence[tuple[ua.NodeId, tuple[str, ...]]]
) -> list[tuple[ua.ReferenceDescription, tuple[str, ...]]]:
    """The references to what is below *nodes*, with the names of the node above."""
    asked = [
        ua.BrowseDescription(
            NodeId=node,
            BrowseDirection=ua.BrowseDirection.Forward,
            ReferenceTypeId=_HIERARCHICAL,
            IncludeSubtypes=True,
            NodeClassMask=ua.NodeClass.Object | ua.NodeClass.Variable,
            ResultMask=ua.BrowseResultMask.All,
        )
        for node, _names in nodes
    ]
    results = await client.uaclient.browse(ua.BrowseParameters(NodesToBrowse=asked))
    found: list[tuple[ua.ReferenceDescription, tuple[str, ...]]] = []
    for (_node, names), first in zip(nodes, results, strict=True):
        result = first
        found += [(reference, names) for reference in result.References or ()]
        while result.ContinuationPoint:
            more = ua.BrowseNextParameters(ContinuationPoints=[result.ContinuationPoint])
            (result,) = await client.uaclient.browse_next(more)
            found += [(reference, names) for reference in result.References or ()]
    return found


async def _read(
    client: Client, variables: Sequence[tuple[ua.NodeId, tuple[str, ...]]]
) -> list[Variable]:
    values = await client.uaclient.read_attributes(
        [node for node, _names in variables], AttributeIds.Value
    )
    return [
        Variable(node.to_string(), names, reading(Item("/".join(names), ""), value, 0))
        for (node, names), value in zip(variables, values, strict=True)
    ]
