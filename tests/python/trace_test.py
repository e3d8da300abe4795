"""Calls say in whose trace they are: in that of the current span of OpenTelemetry, or else of the environment."""

import asyncio
import concurrent.futures
import contextlib
import os
import unittest
from unittest import mock

import grpc
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider

import bitwright
from bitwright import tracing

PARENT = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'
ZEROS = '0' * 32


class Listener(grpc.GenericRpcHandler):
    """Answers every call with an empty message, and keeps its metadata."""

    def __init__(self):
        self.seen = []
        self._server = grpc.server(concurrent.futures.ThreadPoolExecutor(max_workers=4), handlers=[self])
        self.address = f'127.0.0.1:{self._server.add_insecure_port("127.0.0.1:0")}'
        self._server.start()

    def service(self, handler_call_details):
        self.seen.append(dict(handler_call_details.invocation_metadata))
        return grpc.unary_unary_rpc_method_handler(lambda request, context: b'')

    def close(self):
        self._server.stop(None).wait()


@contextlib.contextmanager
def variables(**given):
    """The environment has these and no other trace."""
    with mock.patch.dict(os.environ, given):
        for name in {'TRACEPARENT', 'TRACESTATE'} - set(given):
            os.environ.pop(name, None)
        yield


class Calls(unittest.TestCase):
    def setUp(self):
        self.listener = Listener()
        self.addCleanup(self.listener.close)
        self.tracer = TracerProvider().get_tracer('test')

    def called(self):
        """What both clients send with a call: traceparent and tracestate."""
        async def ask():
            async with bitwright.AsyncClient(self.listener.address) as client:
                await client.recipes()
        with bitwright.Client(self.listener.address) as client:
            client.recipes()
        asyncio.run(ask())
        both = [(metadata.get('traceparent'), metadata.get('tracestate')) for metadata in self.listener.seen]
        self.assertEqual(len(both), 2)
        self.assertEqual(both[0], both[1])
        self.listener.seen.clear()
        return both[0]

    def test_the_environment(self):
        with variables():
            self.assertEqual(self.called(), (None, None))
        with variables(TRACEPARENT=PARENT):
            self.assertEqual(self.called(), (PARENT, None))
        with variables(TRACEPARENT=PARENT, TRACESTATE='congo=t61,rojo=1'):
            self.assertEqual(self.called(), (PARENT, 'congo=t61,rojo=1'))
        with variables(TRACEPARENT=PARENT, TRACESTATE='=no'):
            self.assertEqual(self.called(), (PARENT, None))
        with variables(TRACEPARENT='nonsense', TRACESTATE='congo=t61'):
            self.assertEqual(self.called(), (None, None))

    def test_the_current_span_comes_first(self):
        with variables(TRACEPARENT=PARENT, TRACESTATE='congo=t61'), self.tracer.start_as_current_span('work') as span:
            context = span.get_span_context()
            expected = f'00-{context.trace_id:032x}-{context.span_id:016x}-{context.trace_flags:02x}'
            self.assertEqual(self.called(), (expected, None))

    def test_a_span_reaches_the_threads_of_a_call(self):
        """As an upload has them."""
        def asked():
            from bitwright import methods, retry, steps
            from bitwright.v1 import recipes_pb2
            one = [retry.unary(client._waiting.patience, methods.LIST_RECIPES, recipes_pb2.ListRecipesRequest())
                   for _ in range(3)]
            yield steps.Together(one, 3)
        with variables(), bitwright.Client(self.listener.address) as client:
            with self.tracer.start_as_current_span('work') as span:
                client._waiting.run(asked())
        self.assertEqual(len(self.listener.seen), 3)
        for metadata in self.listener.seen:
            self.assertIn(f'{span.get_span_context().span_id:016x}', metadata['traceparent'])


class Texts(unittest.TestCase):
    """The same cases as tests/unit/proto/contract/trace_context_test.cc."""

    def test_parents(self):
        self.assertEqual(tracing.parent_of(PARENT), PARENT)
        for later in ('01' + PARENT[2:], 'cc' + PARENT[2:] + '-what.may.come'):
            self.assertEqual(tracing.parent_of(later), PARENT)
        for bad in ('', '00', PARENT[:-1], PARENT + '-', PARENT + ' ', 'cc' + PARENT[2:] + '.what', 'ff' + PARENT[2:],
                    '0x' + PARENT[2:], PARENT.upper(), PARENT.replace(PARENT[3:35], ZEROS),
                    PARENT.replace(PARENT[36:52], ZEROS[:16]), PARENT.replace('-', '_')):
            self.assertEqual(tracing.parent_of(bad), '', bad)

    def test_states(self):
        for good in ('congo=t61rcWkgMzE', 'rojo=00f067aa0ba902b7, congo=t61 r/*', 'fw529a3039@dt=FfwAAA,,a-b_c*d/e=1',
                     'k=' + 'v' * 256):
            self.assertTrue(tracing.is_state(good), good)
        many = ','.join(f'k{n}=v' for n in range(33))
        long = ','.join(f'{key}={"v" * 250}' for key in 'klm')
        for bad in ('', ',', 'congo', '=v', 'Congo=v', 'k=a=b', 'k=\n1', 'k=', 'a@b@c=1', 'a@=1', 'k=' + 'v' * 257, many,
                    long):
            self.assertFalse(tracing.is_state(bad), bad)

    def test_a_program_without_spans_sends_none(self):
        with variables():
            self.assertFalse(trace.get_current_span().get_span_context().is_valid)
            self.assertEqual(tracing.metadata(), ())


if __name__ == '__main__':
    unittest.main(verbosity=2)
