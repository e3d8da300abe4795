"""Texts as people bring them, and what each is taken for or refused as.

TEXTS: file name → (its bytes, expected). Expected is {'kind': …} as --data-kind calls it, or {'reason': …, 'names': …}:
the refusal, and what its sentence has to name.
"""

import gzip
import io
import json
import os
import zipfile

PROSE = 'The lamp burned low, and nobody spoke. At last the clock struck one.\n' * 200
MARK = b'\xef\xbb\xbf'


def lines(*documents):
    return ''.join(json.dumps(document, ensure_ascii=False) + '\n' for document in documents)


def zipped():
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, 'w') as archive:
        archive.writestr('a.txt', PROSE)
    return buffer.getvalue()


CHAT = {'messages': [{'role': 'user', 'content': 'Who goes there?'}, {'role': 'assistant', 'content': 'A friend.'}]}
TABLE = ''.join(f'{i},name {i},{i * i}\n' for i in range(20))

TEXTS = {
    'prose.txt': (PROSE, {'kind': 'text'}),
    'no-ending': (PROSE, {'kind': 'text'}),
    'mark.txt': (MARK + PROSE.encode(), {'kind': 'text'}),
    'chinese.txt': ('夜深了,没有人说话。' * 500, {'kind': 'text'}),
    'code.py': ('def f(x):\n    return {"text": x}\n' * 50, {'kind': 'text'}),
    'windows.ids.jsonl': ('[1, 2, 3, 4]\n[5, 6, 7, 8]\n', {'kind': 'ids'}),
    'ids-under-another-name.txt': ('[1, 2, 3, 4]\n[5, 6, 7, 8]\n', {'kind': 'ids'}),
    'ids-with-a-mark.jsonl': (MARK + b'[1, 2, 3, 4]\r\n[5, 6, 7, 8]\r\n', {'kind': 'ids'}),
    'texts.jsonl': (lines({'text': 'One.'}, {'id': 2, 'text': 'Two.\nLines.'}), {'kind': 'documents'}),
    'contents.jsonl': (lines({'content': 'One.'}), {'kind': 'documents'}),
    'chats.jsonl': (lines(CHAT, CHAT), {'kind': 'documents'}),
    'completions.jsonl': (lines({'prompt': '2 + 2 =', 'completion': ' 4'}), {'kind': 'documents'}),
    'documents-under-another-name.txt': (lines({'text': 'One.'}), {'kind': 'documents'}),
    'one-long-line.jsonl': (lines({'text': 'x ' * 100_000}), {'kind': 'documents'}),
    'table.csv': ('id,text\n1,hello\n', {'reason': 'DATA_IS_TABLE', 'names': ['comma-separated', '--data-kind text']}),
    'table.tsv': ('id\ttext\n1\thello\n', {'reason': 'DATA_IS_TABLE', 'names': ['tab-separated']}),
    'table-under-another-name.txt': (TABLE, {'reason': 'DATA_IS_TABLE', 'names': ['comma-separated']}),
    'data.parquet': (b'PAR1' + bytes(range(256)), {'reason': 'DATA_NOT_TEXT', 'names': ['parquet', "field 'text'"]}),
    'prose.txt.gz': (gzip.compress(PROSE.encode(), mtime=0), {'reason': 'DATA_NOT_TEXT', 'names': ['gzip', 'extract']}),
    'prose.zip': (zipped(), {'reason': 'DATA_NOT_TEXT', 'names': ['ZIP']}),
    'utf16.txt': (PROSE.encode('utf-16'), {'reason': 'DATA_NOT_TEXT', 'names': ['UTF-16', 'iconv']}),
    'latin1.txt': ('café\n'.encode('latin-1') * 50, {'reason': 'DATA_NOT_UTF8', 'names': ['byte 3', 'iconv']}),
    'pointer.txt': ('version https://git-lfs.github.com/spec/v1\noid sha256:' + '0' * 64 + '\nsize 5\n',
                    {'reason': 'DATA_NOT_TEXT', 'names': ['git-lfs', 'git lfs pull']}),
    'binary.txt': (b'text\0\1\2', {'reason': 'DATA_NOT_TEXT', 'names': ['binary']}),
    'document.json': ('{\n "text": "One."\n}\n', {'reason': 'DATA_IS_JSON', 'names': ['one JSON document']}),
    'array.json': (json.dumps([{'text': 'One.'}]), {'reason': 'DATA_IS_JSON', 'names': ['one JSON document']}),
    'other-fields.jsonl': (lines({'title': 'One'}), {'reason': 'DATA_IS_JSON', 'names': ['line 1', "'messages'"]}),
    'half-json.jsonl': (lines({'text': 'One.'}) + 'Two.\n', {'reason': 'DATA_IS_JSON', 'names': ['line 2']}),
    'named-jsonl.jsonl': (PROSE, {'reason': 'DATA_IS_JSON', 'names': ['first line']}),
}


def make(out, _sample):
    os.makedirs(out)
    for name, (content, _) in TEXTS.items():
        with open(os.path.join(out, name), 'wb') as file:
            file.write(content.encode() if isinstance(content, str) else content)
    return list(TEXTS)
