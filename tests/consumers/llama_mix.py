#!/usr/bin/env python3
"""What llama.cpp's own quantizer makes of a model, in bytes and KL divergence: for a comparison by hand, no test.

MODEL.gguf is unquantized: plain_gguf.py writes one. EVALUATION is a text, or token ids (.ids.jsonl); with the window
and the tokens of a job, the numbers compare with its report.json. For each TYPE of llama-quantize one line of JSON
says:
  file_bytes, type_bytes  of the file, and of its tensors by type
  kl, perplexity          of its weights, with f32 arithmetic as in the report
  kl_as_is                with llama.cpp's arithmetic, which rounds activations to 8 bits
"""
import argparse
import json
import os
import tempfile

import llama_programs


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('llama', metavar='LLAMA_DIR', help='the folder that llama_cpp.sh prints')
    parser.add_argument('model', metavar='MODEL.gguf')
    parser.add_argument('evaluation', metavar='EVALUATION')
    parser.add_argument('types', metavar='TYPE', nargs='+', help='such as Q4_K_M; with --pure such as Q4_K')
    parser.add_argument('--imatrix', metavar='TEXT', help='quantize with an importance matrix of this text')
    parser.add_argument('--pure', action='store_true', help='one type for all tensors')
    parser.add_argument('--keep-ends', action='store_true', help='leave the embedding and the output as they are')
    parser.add_argument('--window', type=int, default=512)
    parser.add_argument('--calibration-tokens', type=int, default=65536)
    parser.add_argument('--evaluation-tokens', type=int, default=32768)
    return parser.parse_args()


def main():
    given = arguments()
    llama = llama_programs.Llama(given.llama)
    with tempfile.TemporaryDirectory(prefix='bitwright-consumers-') as work:
        paths = [os.path.join(work, name) for name in ('q.gguf', 'f.gguf', 'imatrix', 'ids')]
        quantized, widened, matrix, ids = paths
        llama.write_ids(given.model, given.evaluation, given.window, given.evaluation_tokens, ids)
        options = ['--pure'] if given.pure else []
        if given.keep_ends:
            options += ['--leave-output-tensor', '--token-embedding-type', 'f32']
        if given.imatrix:
            llama.run('llama-imatrix', '-m', given.model, '-f', given.imatrix, '-o', matrix, '-c', str(given.window),
                      '--chunks', str(given.calibration_tokens // given.window), '--no-ppl', '-t', '2')
            options += ['--imatrix', matrix]
        for kind in given.types:
            llama.run('llama-quantize', *options, given.model, quantized, kind, '2')
            exact = llama.measure(llama.widen(quantized, widened), ids, given.window, given.model)
            rounded = llama.measure(quantized, ids, given.window, given.model)
            print(json.dumps({'type': kind, 'imatrix': bool(given.imatrix), 'file_bytes': os.path.getsize(quantized),
                              'type_bytes': rounded['type_bytes'], 'kl': exact['kl'], 'perplexity': exact['perplexity'],
                              'kl_as_is': rounded['kl']}), flush=True)


if __name__ == '__main__':
    main()
