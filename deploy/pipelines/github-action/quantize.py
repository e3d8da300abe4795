"""The step of action.yml: runs `bitwright quantize`, writes outputs and the summary of the job.

Inputs come in variables, never in the text of a script, so that none of them can be a command.
"""

import json
import os
import subprocess
import sys
import tempfile


def given(name):
    return os.environ.get('ACTION_' + name, '').strip()


def lines(name):
    return [line.strip() for line in given(name).splitlines() if line.strip()]


def arguments():
    found = ['quantize', given('MODEL'), '-o', given('OUT')]
    for option, name in (('--budget', 'BUDGET'), ('--max-kld', 'MAX_KLD'), ('--max-ppl-rise', 'MAX_PPL_RISE'),
                         ('--target', 'TARGET')):
        if given(name):
            found += [option, given(name)]
    for option, name in (('--calibration', 'CALIBRATION'), ('--evaluation', 'EVALUATION')):
        for path in lines(name):
            found += [option, path]
    return [*found, *lines('OPTIONS'), '--json']


def environment(folder):
    """Empty inputs are inputs that were not given. The token goes through a file that only this user can read."""
    found = {name: value for name, value in os.environ.items()
             if value or name not in ('BITWRIGHT_SERVER', 'BITWRIGHT_TLS_CA')}
    token = found.pop('ACTION_TOKEN', '').strip()
    if token:
        path = os.path.join(folder, 'token')
        with open(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600), 'w', encoding='ascii') as file:
            file.write(token + '\n')
        found['BITWRIGHT_TOKEN_FILE'] = path
    return found


def command_text(text):
    """What a workflow command may hold: https://docs.github.com/actions/reference/workflow-commands-for-github-actions"""
    return text.replace('%', '%25').replace('\r', '%0D').replace('\n', '%0A')


def fail(title, text):
    print(f'::error title={title}::{command_text(text)}')
    sys.exit(1)


def append(variable, text):
    with open(os.environ[variable], 'a', encoding='utf-8') as file:
        file.write(text)


def summary(report, plan):
    rows = (('average bits', f'{plan["average_bits"]:.3f}'), ('bytes', f'{int(report["artifact_bytes"]):,}'),
            ('KL divergence', f'{plan["kl_divergence"]["mean"]:.5f} ± {plan["kl_divergence"]["standard_error"]:.5f}'),
            ('perplexity', f'{plan["perplexity"]:.3f}, original {report["reference"]["perplexity"]:.3f}'),
            ('same most likely token', f'{100 * plan["top1_agreement"]:.2f} %'))
    table = '\n'.join(f'| {name} | {value} |' for name, value in rows)
    return f'### {report["model"]}, quantized\n\n{report["verdict"]}\n\n| | |\n|---|---|\n{table}\n'


def main():
    with tempfile.TemporaryDirectory(dir=os.environ.get('RUNNER_TEMP')) as folder:
        done = subprocess.run([given('PROGRAM'), *arguments()], stdout=subprocess.PIPE, text=True, check=False,
                              env=environment(folder))
    result = json.loads(done.stdout or '{}')
    if done.returncode != 0:
        error = result.get('error', {})
        fail(error.get('reason', 'bitwright'), error.get('message', f'bitwright ended with code {done.returncode}'))
    if 'report' not in result:
        fail('GOALS_INVALID', 'this action takes one budget and one target; run it once for each')
    report = result['report']
    plan = next(one for one in report['candidates'] if one['name'] == report['selected'])
    loss = plan['kl_divergence']['mean']
    outputs = {'out': result['out'], 'job': result['job'], 'kl-divergence': loss, 'average-bits': plan['average_bits'],
               'artifact-bytes': report['artifact_bytes'], 'verdict': ' '.join(report['verdict'].split())}
    append('GITHUB_OUTPUT', ''.join(f'{name}={value}\n' for name, value in outputs.items()))
    append('GITHUB_STEP_SUMMARY', summary(report, plan))
    if given('FAIL_ABOVE_KLD') and loss > float(given('FAIL_ABOVE_KLD')):
        fail('QUALITY', f'the KL divergence is {loss:.6g} nats per token, above {given("FAIL_ABOVE_KLD")}')


if __name__ == '__main__':
    main()
