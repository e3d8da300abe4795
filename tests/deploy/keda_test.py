"""The chart's server, workers and ScaledObject on this machine: what KEDA asks and is told while a job comes and goes."""

import importlib
import os
import sys
import threading
import unittest

import grpc
from chart import CERTIFICATES, of_kind, pods, render
from grpc_tools import protoc
from launch import PATIENCE, SOURCE, LaunchTest, wait_until

import small_model  # beside service.py, which launch.py has found
from service import Client

VALUES = {'tokens': CERTIFICATES['tokens'], 'keda': {'enabled': True},
          'workers': {'pools': {'cpu': {'threads': 1, 'maxReplicas': 9, 'tasksPerWorker': 2}}}}


def stubs(folder):
    """The modules of messages and calls that KEDA's contract gives."""
    protos = os.path.join(SOURCE, 'proto', 'keda')
    assert protoc.main(['', f'-I{protos}', f'--python_out={folder}', f'--grpc_python_out={folder}',
                        os.path.join(protos, 'externalscaler.proto')]) == 0
    sys.path.insert(0, folder)
    return importlib.import_module('externalscaler_pb2'), importlib.import_module('externalscaler_pb2_grpc')


class Keda(LaunchTest):
    def setUp(self):
        super().setUp()
        manifests = render(VALUES)
        (_, server), (_, worker) = pods(manifests)
        self.worker = worker['spec']['containers'][0]
        scaled, = of_kind(manifests, 'ScaledObject').values()
        self.trigger, = scaled['spec']['triggers']
        self.name = scaled['metadata']['name']
        container = server['spec']['containers'][0]
        files = {'/data': self.path('data'), '/etc/bitwright/tls/tls.crt': self.secret('server.pem'),
                 '/etc/bitwright/tls/tls.key': self.secret('server.key'), '/etc/bitwright/tokens': self.path('secrets')}
        self.launch('server', container['command'] + [self.here(argument, files) for argument in container['args']])
        self.messages, calls = stubs(self.dir)
        with open(self.secret('ca.pem'), 'rb') as file:
            credentials = grpc.ssl_channel_credentials(file.read())
        self.channel = grpc.secure_channel(f'localhost:{self.ports[7074]}', credentials)
        self.addCleanup(self.channel.close)
        grpc.channel_ready_future(self.channel).result(PATIENCE)
        self.keda = calls.ExternalScalerStub(self.channel)

    def start_worker(self):
        files = {'/etc/bitwright/token/token': self.secret('worker.token'), '/etc/bitwright/ca/ca.crt': self.secret('ca.pem')}
        arguments = [self.here(argument, files) for argument in self.worker['args']]
        return self.launch('worker', self.worker['command'] + arguments, XDG_CACHE_HOME=self.path('cache'))

    def reference(self, **changes):
        metadata = {**self.trigger['metadata'], **changes}
        return self.messages.ScaledObjectRef(name=self.name, namespace='quant', scalerMetadata=metadata)

    def metric(self, **changes):
        """As KEDA asks for it: first for its name, then for its value."""
        reference = self.reference(**changes)
        spec, = self.keda.GetMetricSpec(reference, timeout=PATIENCE).metricSpecs
        self.assertEqual((spec.targetSize, spec.targetSizeFloat), (2, 2.0))
        request = self.messages.GetMetricsRequest(scaledObjectRef=reference, metricName=spec.metricName)
        value, = self.keda.GetMetrics(request, timeout=PATIENCE).metricValues
        self.assertEqual((value.metricName, value.metricValueFloat), (spec.metricName, value.metricValue))
        self.assertEqual(self.keda.IsActive(reference, timeout=PATIENCE).result, value.metricValue > 0)
        return value.metricValue

    def watch(self):
        """What StreamIsActive has said so far, as a list that grows."""
        told = []
        stream = self.keda.StreamIsActive(self.reference(), timeout=PATIENCE)
        self.addCleanup(stream.cancel)

        def read():
            try:
                told.extend(answer.result for answer in stream)
            except grpc.RpcError:
                pass  # cancelled
        threading.Thread(target=read, daemon=True).start()
        return told

    def test_workers_are_wanted_while_there_is_work(self):
        self.assertEqual(self.metric(), 0)
        told = self.watch()
        wait_until(lambda: told == [False], 'the stream says what is')
        model = small_model.write(self.path('model'))
        job = Client('quantize', model, '--budget', '4.25bpw', *self.texts(), '-o', self.path('out'), **self.as_user())
        wait_until(lambda: told == [False, True], 'the stream says that a model is to be inspected')
        self.assertEqual(self.metric(), 1)
        self.assertEqual(self.metric(device='cuda'), 1, 'whoever comes first may have it')
        self.assertEqual(self.metric(device='cuda', countUnpinned='false'), 0)
        worker = self.start_worker()
        job.result()
        wait_until(lambda: told[-1] is False, 'the stream says that nothing is left')
        self.assertEqual(self.metric(), 0)
        self.assertIsNone(worker.poll())

    def test_what_is_wrong_is_refused_by_name(self):
        for changes, message in (({'device': ''}, "'device'"), ({'tasksPerWorker': '0'}, 'from 1 to 1000'),
                                 ({'countUnpinned': 'maybe'}, 'true or false'), ({'slots': '2'}, "'slots'")):
            for call in (self.keda.IsActive, self.keda.GetMetricSpec,
                         lambda reference, timeout: next(self.keda.StreamIsActive(reference, timeout=timeout))):
                with self.subTest(message), self.assertRaises(grpc.RpcError) as raised:
                    call(self.reference(**changes), timeout=PATIENCE)
                self.assertEqual(raised.exception.code(), grpc.StatusCode.INVALID_ARGUMENT)
                self.assertIn(message, raised.exception.details())
        # A later version of KEDA asks for changes of the target, and does without.
        later = self.channel.unary_unary('/externalscaler.ExternalScaler/StreamMetricSpec', lambda message: b'', bytes)
        with self.assertRaises(grpc.RpcError) as raised:
            later(None, timeout=PATIENCE)
        self.assertEqual(raised.exception.code(), grpc.StatusCode.UNIMPLEMENTED)


if __name__ == '__main__':
    unittest.main(verbosity=2)
