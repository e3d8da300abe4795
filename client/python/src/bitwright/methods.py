"""The calls of the contract that this package makes, with the types of their requests and answers."""

from __future__ import annotations

import dataclasses
from typing import Any, Callable, Generic, Type, TypeVar

from google.protobuf.message import Message

from bitwright.v1 import blobs_pb2, bytestream_pb2, capabilities_pb2, jobs_pb2, models_pb2, recipes_pb2, reports_pb2

Q = TypeVar('Q')
R = TypeVar('R')
M = TypeVar('M', bound=Message)


@dataclasses.dataclass(frozen=True)
class Method(Generic[Q, R]):
    """A call: its path on the wire, and how its messages become bytes and come from them."""

    path: str
    serialize: Callable[[Q], bytes]
    parse: Callable[[bytes], R]


def _method(path: str, request: Type[Q], answer: Type[M]) -> Method[Q, M]:
    def serialize(message: Any) -> bytes:
        data: bytes = message.SerializeToString()
        return data
    return Method(path, serialize, answer.FromString)


def _of(service: str, name: str, request: Type[Q], answer: Type[M]) -> Method[Q, M]:
    return _method(f'/bitwright.v1.{service}/{name}', request, answer)


CREATE_MODEL = _of('ModelService', 'CreateModel', models_pb2.CreateModelRequest, models_pb2.Model)
GET_MODEL = _of('ModelService', 'GetModel', models_pb2.GetModelRequest, models_pb2.Model)
LIST_MODELS = _of('ModelService', 'ListModels', models_pb2.ListModelsRequest, models_pb2.ListModelsResponse)
DELETE_MODEL = _of('ModelService', 'DeleteModel', models_pb2.DeleteModelRequest, models_pb2.DeleteModelResponse)
WATCH_MODEL = _of('ModelService', 'WatchModel', models_pb2.WatchModelRequest, models_pb2.Model)
CREATE_JOB = _of('JobService', 'CreateJob', jobs_pb2.CreateJobRequest, jobs_pb2.Job)
GET_JOB = _of('JobService', 'GetJob', jobs_pb2.GetJobRequest, jobs_pb2.Job)
LIST_JOBS = _of('JobService', 'ListJobs', jobs_pb2.ListJobsRequest, jobs_pb2.ListJobsResponse)
RETRY_JOB = _of('JobService', 'RetryJob', jobs_pb2.RetryJobRequest, jobs_pb2.Job)
CANCEL_JOB = _of('JobService', 'CancelJob', jobs_pb2.CancelJobRequest, jobs_pb2.Job)
DELETE_JOB = _of('JobService', 'DeleteJob', jobs_pb2.DeleteJobRequest, jobs_pb2.DeleteJobResponse)
WATCH_JOB = _of('JobService', 'WatchJob', jobs_pb2.WatchJobRequest, jobs_pb2.Job)
GET_REPORT = _of('JobService', 'GetReport', jobs_pb2.GetReportRequest, reports_pb2.Report)
LIST_RECIPES = _of('RecipeService', 'ListRecipes', recipes_pb2.ListRecipesRequest, recipes_pb2.ListRecipesResponse)
GET_CAPABILITIES = _of('CapabilityService', 'GetCapabilities', capabilities_pb2.GetCapabilitiesRequest,
                       capabilities_pb2.Capabilities)
FIND_MISSING_BLOBS = _of('BlobService', 'FindMissingBlobs', blobs_pb2.FindMissingBlobsRequest,
                         blobs_pb2.FindMissingBlobsResponse)

READ = _method('/google.bytestream.ByteStream/Read', bytestream_pb2.ReadRequest, bytestream_pb2.ReadResponse)
QUERY_WRITE_STATUS = _method('/google.bytestream.ByteStream/QueryWriteStatus',
                             bytestream_pb2.QueryWriteStatusRequest, bytestream_pb2.QueryWriteStatusResponse)


def _as_it_is(data: bytes) -> bytes:
    return data


# Its requests are bytes already (see write_message): a message would copy the data of each twice more.
WRITE: Method[bytes, bytestream_pb2.WriteResponse] = Method(
    '/google.bytestream.ByteStream/Write', _as_it_is, bytestream_pb2.WriteResponse.FromString)

# grpc.health.v1.Health/Check of the whole server (github.com/grpc/grpc/blob/master/src/proto/grpc/health/v1/health.proto):
# the request is empty, and the answer has `status = 1`, SERVING = 1.
HEALTH: Method[bytes, bytes] = Method('/grpc.health.v1.Health/Check', _as_it_is, _as_it_is)
SERVING = b'\x08\x01'


def write_message(head: bytestream_pb2.WriteRequest, data: bytes) -> bytes:
    """The bytes of `head`, which has no data, with this data: its field comes last, so tag and length suffice
    (protobuf.dev/programming-guides/encoding)."""
    length_delimited = 2
    prefix = bytearray(head.SerializeToString())
    prefix.append(bytestream_pb2.WriteRequest.DATA_FIELD_NUMBER << 3 | length_delimited)
    size = len(data)
    while size >= 0x80:
        prefix.append(size & 0x7F | 0x80)
        size >>= 7
    prefix.append(size)
    return b''.join((prefix, data))
