"""Completion as the shells themselves do it, and contexts against a service. A shell that is not installed is skipped."""

import os
import shutil
import subprocess
import unittest

from service import CliError, ServiceTest, environment, program, run_cli


class Shells(ServiceTest):
    def setUp(self):
        super().setUp()
        self.environment = environment(PATH=os.path.dirname(program('bitwright')) + os.pathsep + os.environ['PATH'],
                                       HOME=self.dir)

    def run_shell(self, shell, script):
        if not shutil.which(shell):
            self.skipTest(f'{shell} is not installed')
        return subprocess.run([shell, '-c', script], capture_output=True, text=True, check=True, cwd=self.dir,
                              env=self.environment).stdout.split('\n')

    def script(self, shell):
        path = self.path(f'completion.{shell}')
        with open(path, 'w', encoding='utf-8') as file:
            file.write(subprocess.run([program('bitwright'), 'completion', shell], capture_output=True, text=True,
                                      check=True).stdout)
        return path

    def bash(self, *words):
        typed = ' '.join(f"'{word}'" for word in ('bitwright', *words))
        return self.run_shell('bash', f'compopt() {{ echo "compopt $*"; }}; source {self.script("bash")}\n'
                              f'COMP_WORDS=({typed}); COMP_CWORD={len(words)}; _bitwright; printf "%s\\n" "${{COMPREPLY[@]}}"')

    def test_bash(self):
        self.assertEqual(self.bash('job', 'wa')[:1], ['watch'])
        self.assertEqual(self.bash('quantize', 'model', '--target', 'g')[:2], ['gguf', 'gptq'])
        self.assertEqual(self.bash('quantize', 'mo')[:1], ['compopt -o default'], 'files are its own matter')

    def test_fish(self):
        script = self.script('fish')
        found = self.run_shell('fish', f"source {script}; complete -C 'bitwright job wa'")
        self.assertEqual(found[0].split('\t'), ['watch', 'Follow a job to its end; with --json one object a line for each change'])
        os.mkdir(self.path('my-model'))
        self.assertIn('my-model/', self.run_shell('fish', f"source {script}; complete -C 'bitwright quantize my-'")[0])

    def test_zsh(self):
        script = self.script('zsh')
        found = self.run_shell('zsh', 'compdef() { }; _describe() { print -l -- "${(@P)2}" }; _files() { print files }; '
                               f'source {script}; words=(bitwright job wa); CURRENT=3; _bitwright; '
                               'words=(bitwright quantize ""); CURRENT=3; _bitwright')
        self.assertEqual(found[0].split(':')[0], 'watch')
        self.assertEqual(found[1], 'files')


class Contexts(ServiceTest):
    def test_commands_go_to_the_current_one(self):
        service = self.start_service()
        home = {'XDG_CONFIG_HOME': self.path('config')}
        run_cli('--server', service.address, 'context', 'set', 'here', **home)
        self.assertTrue(run_cli('recipe', 'list', **home)['recipes'])
        run_cli('--server', 'unix:' + self.path('nobody'), 'context', 'set', 'away', **home)
        self.assertTrue(run_cli('recipe', 'list', **home)['recipes'], 'the first stays the current one')
        run_cli('context', 'use', 'away', **home)
        self.assertTrue(run_cli('--context', 'here', 'recipe', 'list', **home)['recipes'])
        with self.assertRaises(CliError) as unknown:
            run_cli('--context', 'hre', 'recipe', 'list', **home)
        self.assertEqual((unknown.exception.reason, unknown.exception.code), ('CONTEXT_NOT_FOUND', 4))


if __name__ == '__main__':
    unittest.main(verbosity=2)
