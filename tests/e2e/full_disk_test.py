"""Disks that are really full: small file systems in memory, which this test mounts and fills.

Mounting takes the right to do so: this machine's superuser has it, or anybody within a user namespace of his own. Where
neither is allowed the tests are skipped, and say so; fakes of the disk are tested everywhere (server/rpc, blobs).
"""

import os
import shutil
import subprocess
import sys
import unittest

import small_model
from service import Client, CliError, ServiceTest, environment, outcome, run_cli, wait_until

MIB = 1 << 20
INSIDE = 'BITWRIGHT_TEST_OWN_NAMESPACE'


def mount(folder, size_bytes):
    """A file system of this size at the folder; False: it is not allowed."""
    os.makedirs(folder, exist_ok=True)
    return subprocess.run(['mount', '-t', 'tmpfs', '-o', f'size={size_bytes}', 'tmpfs', folder], check=False,
                          capture_output=True).returncode == 0


def unmount(folder):
    subprocess.run(['umount', '--lazy', folder], check=False, capture_output=True)


def may_mount():
    folder = f'/tmp/mount-trial-{os.getpid()}'
    allowed = mount(folder, MIB)
    if allowed:
        unmount(folder)
    os.rmdir(folder)
    return allowed


def enter_namespace():
    """Runs this program again where it may mount, if there is such a place."""
    inside = ['unshare', '--user', '--map-root-user', '--mount']
    if INSIDE in os.environ or shutil.which('unshare') is None:
        return
    if subprocess.run([*inside, 'true'], check=False, capture_output=True).returncode == 0:
        os.execvpe('unshare', [*inside, sys.executable, '-B', *sys.argv], {**os.environ, INSIDE: '1'})


def free_bytes(folder):
    found = os.statvfs(folder)
    return found.f_bavail * found.f_frsize


class FullDisk(ServiceTest):
    def setUp(self):
        super().setUp()
        if not ALLOWED:
            self.skipTest('no file system can be mounted here')
        self.model = small_model.write(self.path('model'))

    def small_disk(self, name, size_bytes):
        folder = self.path(name)
        if not mount(folder, size_bytes):
            self.skipTest('mounting was allowed a moment ago')
        self.addCleanup(unmount, folder)
        return folder

    def fill(self, folder, leave=0):
        """All but `leave` bytes. Returns the file to remove."""
        path = os.path.join(folder, 'filler')
        with open(path, 'wb') as file:
            try:
                while free_bytes(folder) > leave:
                    file.write(bytes(min(MIB, max(free_bytes(folder) - leave, 1))))
                    file.flush()
            except OSError:
                pass
        return path

    def command(self, texts, out, *more):
        return ['quantize', self.model, '--budget', '4.25bpw', *texts, '-o', self.path(out), *more]

    def undisturbed(self, texts):
        self.start_service('other').client(*self.command(texts, 'expected')).result()
        return outcome(self.path('expected'))


class ServersDisk(FullDisk):
    def test_a_job_on_a_full_disk_waits_and_then_goes_on(self):
        """Without watermarks: writes really fail, in the database, the blobs and the worker's folder."""
        texts = self.texts()
        disk = self.small_disk('service', 96 * MIB)
        service = self.start_service(options=['--disk-low', '0', '--disk-full', '0'], stepping=True)
        service.cli('model', 'upload', self.model)
        client = service.begin(*self.command(texts, 'out'))
        job = client.job()
        service.freeze(job, 'profile')
        filler = self.fill(disk)
        service.go_on()
        waiting = wait_until(lambda: service.job(job).get('waiting'), 'the job says what it waits for')
        self.assertEqual(waiting['reason'], 'SERVER_STORAGE', waiting)
        with self.assertRaises(CliError) as refused:
            service.cli('job', 'submit', *self.command(self.texts('more'), 'x')[1:-2])
        self.assertIn(refused.exception.reason, ('DISK_FULL', 'SERVER_UNREACHABLE', 'STORE_FAILED'), refused.exception)
        self.assertEqual(service.job(job)['state'], 'RUNNING', 'nobody is to blame')
        os.unlink(filler)
        client.result()
        self.assertEqual(outcome(self.path('out')), self.undisturbed(texts))

    def test_below_the_watermarks_nothing_begins_and_uploads_are_refused(self):
        texts = self.texts()
        disk = self.small_disk('service', 96 * MIB)
        service = self.start_service(options=['--disk-low', '40MiB', '--disk-full', '10MiB'])
        service.cli('model', 'upload', self.model)
        filler = self.fill(disk, leave=20 * MIB)
        low = 'bitwright_disk_free_bytes'
        wait_until(lambda: service.metrics()[low] < 30 * MIB, 'the server has looked')
        client = service.client(*self.command(texts, 'out'))
        job = client.job()
        waiting = wait_until(lambda: service.job(job).get('waiting'), 'the job says what it waits for')
        self.assertEqual(waiting['reason'], 'DISK_LOW', waiting)
        os.unlink(filler)
        filler = self.fill(disk, leave=4 * MIB)
        wait_until(lambda: service.metrics()[low] < 8 * MIB, 'the server has looked')
        with self.assertRaises(CliError) as refused:
            service.cli('job', 'submit', *self.command(self.texts('more'), 'x')[1:-2])
        self.assertEqual(refused.exception.reason, 'DISK_FULL', refused.exception)
        os.unlink(filler)
        client.result()
        self.assertEqual(outcome(self.path('out')), self.undisturbed(texts))


class ClientsDisk(FullDisk):
    def setUp(self):
        super().setUp()
        os.makedirs(self.path('state'), 0o700)
        self.variables = {'XDG_STATE_HOME': self.path('state')}

    def test_no_room_for_the_artifact_is_found_before_anything_is_sent(self):
        disk = self.small_disk('out', 4 * MIB)
        self.fill(disk, leave=16 << 10)
        with self.assertRaises(CliError) as refused:
            run_cli(*self.command(self.texts(), 'out/result', '--local'), **self.variables)
        self.assertEqual(refused.exception.reason, 'DISK_FULL', refused.exception)
        self.assertNotIn('upload', refused.exception.err)

    def test_a_result_that_finds_no_room_is_kept_and_delivered_later(self):
        disk = self.small_disk('out', 4 * MIB)
        arguments = self.command(self.texts(size_bytes=16384), 'out/result', '--local')
        client = Client(*arguments, **self.variables)
        client.wait_line('^tokenize: ')
        filler = self.fill(disk)
        error = client.error()
        self.assertEqual(error.reason, 'DISK_FULL', error)
        self.assertIn('is kept in', error.err)
        os.unlink(filler)
        again = Client(*arguments, **self.variables)
        again.result()
        self.assertFalse([line for line in again.lines() if line.startswith(('upload', 'calibrate'))], again.lines())
        self.assertEqual(sorted(os.listdir(self.path('out', 'result'))), ['model', 'report.html', 'report.json', 'report.txt'])


if __name__ == '__main__':
    ALLOWED = may_mount()
    if not ALLOWED:
        enter_namespace()
    unittest.main(verbosity=2)
