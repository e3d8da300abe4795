"""A collector of OpenTelemetry traces, of the messages and the service that the package opentelemetry-proto has."""

import collections
import concurrent.futures
import dataclasses
import threading

import grpc
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2, trace_service_pb2_grpc
from opentelemetry.proto.trace.v1 import trace_pb2

ERROR = trace_pb2.Status.STATUS_CODE_ERROR
SERVER = trace_pb2.Span.SPAN_KIND_SERVER


def value_of(value):
    return getattr(value, value.WhichOneof('value'))


def attributes_of(pairs):
    found = {pair.key: value_of(pair.value) for pair in pairs}
    assert len(found) == len(pairs), 'an attribute is there twice'
    return found


@dataclasses.dataclass(frozen=True)
class Span:
    """One that was received; ids in hexadecimal, times in nanoseconds since 1970."""

    name: str
    trace: str
    id: str
    parent: str  # empty: none
    state: str
    kind: int
    start: int
    end: int
    status: int
    message: str
    attributes: dict
    resource: dict

    def __getitem__(self, key):
        return self.attributes.get(key)


def received(span, resource):
    return Span(span.name, span.trace_id.hex(), span.span_id.hex(), span.parent_span_id.hex(), span.trace_state, span.kind,
                span.start_time_unix_nano, span.end_time_unix_nano, span.status.code, span.status.message,
                attributes_of(span.attributes), resource)


class Collector(trace_service_pb2_grpc.TraceServiceServicer):
    """Keeps all spans that it is sent."""

    def __init__(self):
        self._lock = threading.Lock()
        self._spans = []
        self.calls = 0
        self._server = grpc.server(concurrent.futures.ThreadPoolExecutor(max_workers=2))
        trace_service_pb2_grpc.add_TraceServiceServicer_to_server(self, self._server)
        self.address = f'127.0.0.1:{self._server.add_insecure_port("127.0.0.1:0")}'
        self._server.start()

    def Export(self, request, context):  # pylint: disable=invalid-name
        with self._lock:
            self.calls += 1
            for of_resource in request.resource_spans:
                resource = attributes_of(of_resource.resource.attributes)
                self._spans += [received(span, resource) for scope in of_resource.scope_spans for span in scope.spans]
        return trace_service_pb2.ExportTraceServiceResponse()

    def close(self):
        self._server.stop(None).wait()

    def spans(self):
        with self._lock:
            return list(self._spans)

    def of_trace(self, trace):
        return [span for span in self.spans() if span.trace == trace]

    def of_job(self, job):
        """Those of a job, its stages and its tasks."""
        return [span for span in self.spans() if span['bitwright.job'] == job]

    def repeated(self):
        """Ids that more than one span has."""
        counts = collections.Counter((span.trace, span.id) for span in self.spans())
        return [key for key, count in counts.items() if count > 1]
