"""llama.cpp's programs, as llama_cpp.sh builds them, on windows of token ids."""

import array
import json
import os
import subprocess
import sys


class Failed(Exception):
    pass


class Llama:
    def __init__(self, folder):
        self.folder = folder

    def run(self, program, *arguments):
        """What the program writes to stdout."""
        done = subprocess.run([os.path.join(self.folder, 'bin', program), *arguments], capture_output=True, check=False)
        if done.returncode:
            said = done.stderr.decode(errors='replace').strip().splitlines()
            raise Failed(f'{program} ended with {done.returncode}: ' + '\n'.join(said[-5:]))
        return done.stdout.decode()

    def measure(self, model, ids, window, base=None):
        """{'tokens', 'nll', 'perplexity', 'type_bytes'} and, against an unquantized `base`, 'kl'."""
        return json.loads(self.run('llama_windows', model, ids, str(window), *([base] if base else [])))

    def tokenize(self, model, texts):
        """The ids of text files by the vocabulary that a GGUF file holds."""
        return [json.loads(line) for line in self.run('llama_windows', '--tokenize', model, *texts).splitlines()]

    def widen(self, model, out):
        """Writes the file with all weights as F32, as llama.cpp reads them; it does not round activations for those."""
        self.run('llama-quantize', '--allow-requantize', model, out, 'F32', '2')
        return out

    def write_ids(self, model, path, window, tokens, out):
        """Makes the file that measure() takes of a text or of an .ids.jsonl: whole windows from its start."""
        if path.endswith('.ids.jsonl'):
            with open(path, encoding='ascii') as file:
                ids = [number for line in file for number in json.loads(line)]
        else:
            ids = self.tokenize(model, [path])[0]
        rows = min(tokens, len(ids)) // window
        numbers = array.array('i', ids[:rows * window])
        if sys.byteorder == 'big':
            numbers.byteswap()
        with open(out, 'wb') as file:
            numbers.tofile(file)
        return out
