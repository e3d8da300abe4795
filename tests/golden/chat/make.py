#!/usr/bin/env python3
"""Writes cases.json beside this file: what transformers renders from chat templates.

Usage: $(tests/consumers/venv.sh) tests/golden/chat/make.py

Each case has a template, a document and the special tokens; "text" is what transformers.utils.chat_template_utils
renders, or "fails" is true where it raises. The whole templates are written for this project in the manner of those
that models ship; the small ones go through the grammar, one construct each.
"""

import json
import os

from transformers.utils.chat_template_utils import render_jinja_template

TOKENS = {'bos_token': '<s>', 'eos_token': '</s>', 'pad_token': '<pad>'}

CONVERSATIONS = {
    'plain': [{'role': 'user', 'content': 'What is 2 + 2?'}, {'role': 'assistant', 'content': 'Four.'}],
    'system': [{'role': 'system', 'content': '  Be brief.\n'}, {'role': 'user', 'content': 'Hi\n\nthere '},
               {'role': 'assistant', 'content': '\nHello!'}, {'role': 'user', 'content': 'Bye'}],
    'parts': [{'role': 'user', 'content': [{'type': 'text', 'text': 'See '}, {'type': 'image'},
                                           {'type': 'text', 'text': 'this <b>&amp;</b> "it" \'s'}]},
              {'role': 'assistant', 'content': [{'type': 'text', 'text': 'Ünïcödé 你好 👋'}]}],
    'tools': [{'role': 'user', 'content': 'Weather in Kraków?'},
              {'role': 'assistant', 'content': None,
               'tool_calls': [{'type': 'function', 'id': 'c1',
                               'function': {'name': 'weather', 'arguments': {'city': 'Kraków', 'days': 2, 'deep': [1.5, None, True]}}}]},
              {'role': 'tool', 'tool_call_id': 'c1', 'name': 'weather', 'content': '{"t": -3}'},
              {'role': 'assistant', 'content': 'Cold.'}],
    'thinking': [{'role': 'user', 'content': 'Think.'},
                 {'role': 'assistant', 'content': '<think>\nhm, so\n</think>\n\nDone.'},
                 {'role': 'user', 'content': 'Again.'},
                 {'role': 'assistant', 'reasoning_content': 'longer', 'content': 'Yes.'}],
    'odd': [{'role': 'assistant', 'content': 'I begin.'}, {'role': 'user', 'content': ''}],
    'none': [],
}
TOOLS = [{'type': 'function', 'function': {'name': 'weather', 'description': 'Forecast for a "city".',
                                           'parameters': {'type': 'object', 'properties': {
                                               'city': {'type': 'string'}, 'days': {'type': 'integer', 'default': 1}},
                                               'required': ['city']}}}]

WHOLE = {
    'turns': """{% for message in messages %}{{ '<|' + message['role'] + '|>\\n' + message['content'] + eos_token + '\\n' }}{% endfor %}{% if add_generation_prompt %}{{ '<|assistant|>\\n' }}{% endif %}""",
    'indented': """
{%- for m in messages %}
    {%- if loop.first and m.role != 'system' %}
        {{- '<|im_start|>system\\nYou are a helper.<|im_end|>\\n' }}
    {%- endif %}
    {{- '<|im_start|>' ~ m.role ~ '\\n' ~ m.content ~ '<|im_end|>' }}
    {{- '\\n' }}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|im_start|>assistant\\n' }}
{%- endif %}
""",
    'instruction': """{%- if messages[0]["role"] == "system" -%}
    {%- set system_message = messages[0]["content"] | trim -%}
    {%- set loop_messages = messages[1:] -%}
{%- else -%}
    {%- set loop_messages = messages -%}
{%- endif -%}
{{- bos_token }}
{%- for message in loop_messages %}
    {%- if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}
        {{- raise_exception('Roles must alternate: user, assistant, user, …') }}
    {%- endif %}
    {%- if message['role'] == 'user' %}
        {%- if loop.last and system_message is defined %}
            {{- '[INST] ' + system_message + '\\n\\n' + message['content'] + '[/INST]' }}
        {%- else %}
            {{- '[INST] ' + message['content'] + '[/INST]' }}
        {%- endif %}
    {%- elif message['role'] == 'assistant' %}
        {{- ' ' + message['content']|trim + eos_token}}
    {%- else %}
        {{- raise_exception('Only user and assistant are known, not ' + message['role']) }}
    {%- endif %}
{%- endfor %}""",
    'headers': """{{- bos_token }}
{%- if not date_string is defined %}
    {%- if strftime_now is defined %}
        {%- set date_string = "today" %}
    {%- else %}
        {%- set date_string = "26 Jul 2024" %}
    {%- endif %}
{%- endif %}
{%- if not tools is defined %}
    {%- set tools = none %}
{%- endif %}
{%- if messages and messages[0]['role'] == 'system' %}
    {%- set system_message = messages[0]['content']|trim %}
    {%- set messages = messages[1:] %}
{%- else %}
    {%- set system_message = "" %}
{%- endif %}
{{- "<|start_header_id|>system<|end_header_id|>\\n\\n" }}
{%- if tools is not none %}
    {{- "You may call:\\n\\n" }}
    {%- for t in tools %}
        {{- t | tojson(indent=4) }}
        {{- "\\n\\n" }}
    {%- endfor %}
{%- endif %}
{{- system_message }}
{{- "<|eot_id|>" }}
{%- for message in messages %}
    {%- if not (message.role == 'ipython' or message.role == 'tool' or 'tool_calls' in message) %}
        {{- '<|start_header_id|>' + message['role'] + '<|end_header_id|>\\n\\n'+ (message['content'] if message['content'] is string else '') | trim + '<|eot_id|>' }}
    {%- elif 'tool_calls' in message %}
        {%- if not message.tool_calls|length == 1 %}
            {{- raise_exception("One call at a time.") }}
        {%- endif %}
        {%- set tool_call = message.tool_calls[0].function %}
        {{- '<|start_header_id|>assistant<|end_header_id|>\\n\\n' -}}
        {{- '{"name": "' + tool_call.name + '", ' }}
        {{- '"parameters": ' }}
        {{- tool_call.arguments | tojson }}
        {{- "}" }}
        {{- "<|eot_id|>" }}
    {%- elif message.role == "tool" or message.role == "ipython" %}
        {{- "<|start_header_id|>ipython<|end_header_id|>\\n\\n" }}
        {%- if message.content is mapping or message.content is iterable %}
            {{- message.content | tojson }}
        {%- else %}
            {{- message.content }}
        {%- endif %}
        {{- "<|eot_id|>" }}
    {%- endif %}
{%- endfor %}
""",
    'thinking': """{%- if tools %}
    {{- '<|im_start|>system\\n' }}
    {%- if messages and messages[0].role == 'system' %}
        {{- messages[0].content + '\\n\\n' }}
    {%- endif %}
    {{- "# Tools\\n\\n<tools>" }}
    {%- for tool in tools %}
        {{- "\\n" }}
        {{- tool | tojson }}
    {%- endfor %}
    {{- "\\n</tools><|im_end|>\\n" }}
{%- endif %}
{%- set ns = namespace(multi_step_tool=true, last_query_index=messages|length - 1) %}
{%- for message in messages[::-1] %}
    {%- set index = (messages|length - 1) - loop.index0 %}
    {%- if ns.multi_step_tool and message.role == "user" and message.content is string and not(message.content.startswith('<tool_response>') and message.content.endswith('</tool_response>')) %}
        {%- set ns.multi_step_tool = false %}
        {%- set ns.last_query_index = index %}
    {%- endif %}
{%- endfor %}
{%- for message in messages %}
    {%- if message.content is string %}
        {%- set content = message.content %}
    {%- else %}
        {%- set content = '' %}
    {%- endif %}
    {%- if (message.role == "user") or (message.role == "system" and not loop.first) %}
        {{- '<|im_start|>' + message.role + '\\n' + content + '<|im_end|>' + '\\n' }}
    {%- elif message.role == "assistant" %}
        {%- set reasoning_content = '' %}
        {%- if message.reasoning_content is string %}
            {%- set reasoning_content = message.reasoning_content %}
        {%- else %}
            {%- if '</think>' in content %}
                {%- set reasoning_content = content.split('</think>')[0].rstrip('\\n').split('<think>')[-1].lstrip('\\n') %}
                {%- set content = content.split('</think>')[-1].lstrip('\\n') %}
            {%- endif %}
        {%- endif %}
        {%- if loop.index0 > ns.last_query_index %}
            {%- if loop.last or (not loop.last and reasoning_content) %}
                {{- '<|im_start|>' + message.role + '\\n<think>\\n' + reasoning_content.strip('\\n') + '\\n</think>\\n\\n' + content.lstrip('\\n') }}
            {%- else %}
                {{- '<|im_start|>' + message.role + '\\n' + content }}
            {%- endif %}
        {%- else %}
            {{- '<|im_start|>' + message.role + '\\n' + content }}
        {%- endif %}
        {%- if message.tool_calls %}
            {%- for tool_call in message.tool_calls %}
                {%- if (loop.first and content) or (not loop.first) %}{{- '\\n' }}{%- endif %}
                {%- if tool_call.function %}
                    {%- set tool_call = tool_call.function %}
                {%- endif %}
                {{- '<tool_call>\\n{"name": "' }}
                {{- tool_call.name }}
                {{- '", "arguments": ' }}
                {%- if tool_call.arguments is string %}
                    {{- tool_call.arguments }}
                {%- else %}
                    {{- tool_call.arguments | tojson }}
                {%- endif %}
                {{- '}\\n</tool_call>' }}
            {%- endfor %}
        {%- endif %}
        {{- '<|im_end|>\\n' }}
    {%- elif message.role == "tool" %}
        {%- if loop.first or (messages[loop.index0 - 1].role != "tool") %}
            {{- '<|im_start|>user' }}
        {%- endif %}
        {{- '\\n<tool_response>\\n' }}
        {{- content }}
        {{- '\\n</tool_response>' }}
        {%- if loop.last or (messages[loop.index0 + 1].role != "tool") %}
            {{- '<|im_end|>\\n' }}
        {%- endif %}
    {%- endif %}
{%- endfor %}""",
    'parts': """{{ bos_token }}
{%- if messages and messages[0]['role'] == 'system' -%}
    {%- set first_user_prefix = messages[0]['content'] + '\\n\\n' -%}
    {%- set loop_messages = messages[1:] -%}
{%- else -%}
    {%- set first_user_prefix = "" -%}
    {%- set loop_messages = messages -%}
{%- endif -%}
{%- for message in loop_messages -%}
    {%- if (message['role'] == 'assistant') -%}
        {%- set role = "model" -%}
    {%- else -%}
        {%- set role = message['role'] -%}
    {%- endif -%}
    {{ '<start_of_turn>' + role + '\\n' + (first_user_prefix if loop.first else "") }}
    {%- if message['content'] is string -%}
        {{ message['content'] | trim }}
    {%- elif message['content'] is iterable -%}
        {%- for item in message['content'] -%}
            {%- if item['type'] == 'image' -%}
                {{ '<start_of_image>' }}
            {%- elif item['type'] == 'text' -%}
                {{ item['text'] | trim }}
            {%- endif -%}
        {%- endfor -%}
    {%- else -%}
        {{ raise_exception("Invalid content type") }}
    {%- endif -%}
    {{ '<end_of_turn>\\n' }}
{%- endfor -%}
""",
    'macro': """{% macro turn(role, text, end='\\n') %}
<{{ role | upper }}>{% generation %}{{ text }}{% endgeneration %}</{{ role }}>{{ end }}
{% endmacro %}
{% for m in messages if m.content is string %}
  {{- turn(m.role, m.content | replace('\\n', '⏎')) }}
{% else %}
nothing
{% endfor %}
{{ turn('end', 'x', end='') }}""",
    'lines': """{# A template with comments
   over lines. #}
{% for m in messages %}
{% if m.role == 'system' %}
System: {{ m.content }}
{% continue %}
{% endif %}
  {% if loop.index > 3 %}
  {% break %}
  {% endif %}
{{ loop.index }}/{{ loop.length }} {{ loop.previtem.role if loop.previtem is defined else '-' }}>{{ m.role }}: {{ m.content if m.content is string else m.content | tojson }}
{% endfor %}
{% raw %}{{ not this }}{% endraw %}

end
""",
}

GRAMMAR = [
    '{{ 1 + 2 * 3 - 4 / 2 }}', '{{ 7 // 2 }} {{ -7 // 2 }} {{ 7 % 3 }} {{ -7 % 3 }} {{ 2 ** 10 }} {{ 2 ** -1 }}',
    '{{ 1.0 }} {{ 1e20 }} {{ 1e-7 }} {{ 0.1 + 0.2 }} {{ 1e16 }} {{ 123456789012345.6 }} {{ -0.0 }}',
    '{{ 7 / 2 }} {{ 7.5 // 2 }} {{ -7.5 % 2 }} {{ 1_000 }}', "{{ 'a' 'b' ~ 1 ~ none ~ true ~ 1.5 }}",
    '{{ true and 0 or "x" }} {{ not 1 }} {{ 1 < 2 < 3 }} {{ 1 < 2 > 5 }} {{ 1 == 1.0 }} {{ "a" != "b" }}',
    "{{ 'b' in 'abc' }} {{ 4 not in [1, 2] }} {{ 'k' in {'k': 1} }} {{ not 'x' in 'abc' }}",
    "{{ [1, 'a', none, true, 2.5, {'k': [1]}, (1,), (1, 2), ()] }}", "{{ {'a': 'it\\'s', \"b\": \"q\\\"\"} }}",
    "{{ 'tab\\tnl\\nq\\'' }} {{ ['tab\\tnl\\n'] }} {{ '\\u00e9\\x41' }} {{ 'a\\\\b' }}",
    "{{ 'x' if false }}|{{ 'x' if 0 else 'y' if 1 else 'z' }}", '{{ missing }}|{{ missing is defined }}|{{ missing | default("d") }}',
    '{{ missing.attr }}', '{{ missing + 1 }}', '{{ missing == none }} {{ missing == missing }} {{ missing | length }}',
    '{% for x in missing %}{{ x }}{% else %}e{% endfor %}', '{{ messages[0].nothing }}|{{ messages[0]["nothing"] is none }}',
    "{{ 'abcdef'[1:4] }} {{ 'abcdef'[::-1] }} {{ 'abcdef'[-2:] }} {{ [1,2,3,4][::2] }} {{ [1,2,3][5:] }} {{ 'añb'[1] }} {{ [1,2][-1] }}",
    "{{ 'abc'[10] is defined }} {{ 'äöü'|length }} {{ [1,2,3]|first }} {{ 'abc'|last }} {{ []|first is defined }}",
    "{{ ' x '.strip() }}|{{ 'xxaxx'.strip('x') }}|{{ '\\n a'.lstrip() }}|{{ 'a \\n'.rstrip() }}|{{ 'a--'.rstrip('-') }}",
    "{{ 'a b  c'.split() }} {{ 'a,b,,c'.split(',') }} {{ 'a,b,c'.split(',', 1) }} {{ 'a,b,c'.rsplit(',', 1) }} {{ ''.split(',') }} {{ ''.split() }}",
    "{{ 'a b c'.split(none, 1) }} {{ ' a  b c '.split(maxsplit=1) }} {{ 'a b  c'.rsplit(none, 1) }}",
    "{{ 'abc'.startswith('ab') }} {{ 'abc'.endswith(('x', 'bc')) }} {{ 'aXbX'.replace('X', '-') }} {{ 'aXbX'.replace('X', '-', 1) }} {{ 'ab'.replace('', '.') }}",
    "{{ 'hello world'.title() }} {{ \"it's he-man\".title() }} {{ \"it's he-man (ok)\"|title }} {{ 'ABC def'.capitalize() }} {{ 'ÄÖ'.lower() }} {{ 'straße'|upper }}",
    "{{ 'abcabc'.find('c') }} {{ 'abc'.find('x') }} {{ 'abcabc'.rfind('a') }} {{ 'aXbX'.count('X') }} {{ ', '.join(['a', 'b']) }}",
    "{{ 'prefix-x'.removeprefix('prefix-') }} {{ 'x.py'.removesuffix('.py') }} {{ 'a\\nb\\r\\nc'.splitlines() }} {{ '12'.isdigit() }}",
    "{{ {'a': 1, 'b': 2}.items() | list }} {{ {'a': 1}.keys() | list }} {{ {'a': 1}.values() | list }} {{ {'a': 1}.get('a') }} {{ {'a': 1}.get('x', 5) }} {{ {'a': 1}.get('x') }}",
    "{% for k, v in {'b': 1, 'a': 2}.items() %}{{ k }}={{ v }};{% endfor %}{% for k, v in {'b': 1, 'a': 2}|dictsort %}{{ k }}{{ v }}{% endfor %}",
    "{{ {'b': [1, {'c': none}], 'a': 'é\"\\n'} | tojson }}", "{{ {'b': [1, {'c': none}], 'a': [], 'd': {}} | tojson(indent=2) }}",
    "{{ [true, 1.0, 1e100, 'x/y', '<&>'] | tojson }}", "{{ {'b': 1, 'a': 2} | tojson(sort_keys=true) }}",
    "{{ [3, 1, 2] | sort }} {{ ['b', 'A', 'c'] | sort }} {{ ['b', 'A'] | sort(case_sensitive=true) }} {{ [1, 3, 2] | sort(reverse=true) }} {{ [{'n': 2}, {'n': 1}] | sort(attribute='n') }}",
    "{{ [1, 2, 2, 1] | unique | list }} {{ [1, 2] | reverse | list }} {{ 'abc' | reverse }} {{ [1, 5, 3] | max }} {{ [4, 2] | min }} {{ [1, 2] | sum }}",
    "{{ ['a', 'b'] | join('-') }} {{ [{'n': 1}, {'n': 2}] | join(',', attribute='n') }} {{ [1, none] | join }}",
    "{{ messages | map(attribute='role') | list }} {{ ['a ', ' b'] | map('trim') | list }} {{ ['1', '2'] | map('int') | sum }}",
    "{{ [1, 0, 2] | select | list }} {{ [1, 2, 3] | select('odd') | list }} {{ [1, 2, 3] | reject('gt', 1) | list }} {{ messages | selectattr('role', 'equalto', 'user') | list | length }} {{ messages | rejectattr('role', 'in', ['user']) | map(attribute='role') | list }}",
    "{{ messages | selectattr('nothing', 'defined') | list }}", "{{ ' a ' | trim }}|{{ 'xax' | trim('x') }}|{{ 5 | string + 'x' }}|{{ '42' | int + 1 }}|{{ 'x' | int }}|{{ '3.7' | int }}|{{ '2.5' | float }}|{{ 'x' | float(1.5) }}",
    "{{ 2.5 | round }} {{ 3.14159 | round(2) }} {{ 2.1 | round(method='ceil') | int }} {{ -3 | abs }} {{ 3 | abs }}",
    "{{ 'a\\nb\\n\\nc' | indent(2) }}|{{ 'a\\nb' | indent(2, true) }}|{{ 'a\\n\\nb' | indent(width=3, blank=true) }}|{{ 'a' | indent('> ', first=true) }}",
    "{{ '' | default('d', true) }} {{ none | default('d') }} {{ none | d('x', boolean=true) }}", "{{ {'a': 1} | items | list }} {{ 'abc' | list }} {{ {'a': 1} | list }} {{ {'a': 1, 'b': 2} | count }}",
    "{{ 1 is number }} {{ 'x' is string }} {{ [] is iterable }} {{ 'x' is iterable }} {{ {} is mapping }} {{ [] is sequence }} {{ none is none }} {{ 1 is none }} {{ true is boolean }} {{ 1 is integer }} {{ 1.5 is float }} {{ true is number }} {{ true is integer }} {{ messages is not string }}",
    "{{ 4 is even }} {{ 3 is odd }} {{ 9 is divisibleby 3 }} {{ 9 is divisibleby(2) }} {{ 1 is eq 1 }} {{ 1 is ne(2) }} {{ 'a' is in ['a'] }} {{ true is true }} {{ 1 is true }} {{ false is false }} {{ 'abc' is lower }} {{ 'ABC' is upper }} {{ range is callable }}",
    "{% set x = 1 %}{% if true %}{% set x = 2 %}{% endif %}{{ x }}", "{% set x = 1 %}{% for i in [1] %}{% set x = 2 %}{% endfor %}{{ x }}",
    "{% set ns = namespace(x=1) %}{% for i in range(3) %}{% set ns.x = ns.x + i %}{% endfor %}{{ ns.x }}", "{% set a, b = 1, 2 %}{{ a }}{{ b }}{% set t = (1, 2) %}{{ t }}",
    "{% set x %} a {{ 1 }} {% endset %}[{{ x }}]", "{% set x | trim | upper %} a {% endset %}[{{ x }}]", "{% filter upper %}a{{ 'b' }}{% endfilter %}",
    "{% with x = 1, y = 2 %}{{ x + y }}{% endwith %}{{ x is defined }}", "{% for i in range(1, 10, 3) %}{{ i }},{{ loop.index0 }},{{ loop.revindex }},{{ loop.last }};{% endfor %}",
    "{% for i in range(3) %}{% for j in range(2) %}{{ loop.depth }}{{ loop.index }} {% endfor %}{{ loop.cycle('a', 'b') }}{% endfor %}",
    "{% for i in [1, 2, 3, 4] if i % 2 == 0 %}{{ loop.index }}{{ i }}{{ loop.length }}{% endfor %}", "{% for i in [1,2,3] %}{% if i == 2 %}{% break %}{% endif %}{{ i }}{% else %}e{% endfor %}",
    "{% for a, b in [[1, 2], (3, 4)] %}{{ a }}{{ b }}{% endfor %}", "{% for c in 'añ' %}[{{ c }}]{% endfor %}{% for k in {'x': 1} %}{{ k }}{% endfor %}",
    "{% macro f(a, b=2) %}{{ a }}{{ b }}{{ c is defined }}{% endmacro %}{{ f(1) }}{{ f(1, b=3) }}{{ f('x') ~ '!' }}{{ f() }}", "{% set c = 5 %}{% macro f() %}{{ c }}{% endmacro %}{{ f() }}{% set c = 6 %}{{ f() }}",
    "{% macro outer(x) %}{{ inner(x) }}{% endmacro %}{% macro inner(y) %}<{{ y }}>{% endmacro %}{{ outer(1) }}",
    "a {%- if true %} b {% endif -%} c", "a\n{% if true %}\nb\n{% endif %}\nc\n", "  {% if true %}\n  x\n  {% endif %}\ny", "  {%+ if true %}x{% endif %}", "x {{- ' y ' -}} z", "a\n  {# c #}\nb", "a {#- c -#} b", "{{ 'x' }}\n", "{{ 'x' }}\n\n",
    "{% raw %}{% if %}{{ x }}{% endraw %}", "{%- raw -%}  a  {%- endraw -%}  b", "{{ '{{ x }}' }} {{ \"%}\" }}", "a\r\nb\rc\n", "{% if true -%}\n  x\n{%- endif %}", "{{ dict(a=1, b='x') }} {{ dict({'c': 1}, d=2) }}",
    "{{ raise_exception('no') }}", "{{ messages.append(1) }}", "{{ {'a': 1}.update({'b': 2}) }}", "{{ range(3) | list }} {{ range(5, 1, -2) | list }}", "{{ 'a' + 1 }}", "{{ 1 + 'a' }}", "{{ [1] + [2] }} {{ (1,) + (2,) }} {{ 'ab' * 3 }} {{ [1] * 2 }}",
    "{{ 1 < 'a' }}", "{{ 1 // 0 }}", "{{ nothing() }}", "{{ 'x'.nothing() }}", "{{ 1 | nothing }}", "{{ 1 is nothing }}", "{% nothing %}", "{{ 1 +", "{% if true %}", "{{ ) }}", "{% endif %}", "{% for %}", "{{ 'x }}",
    "{{ (1, 2)[0] }} {{ {'a': {'b': [1, 2]}}.a.b.1 }} {{ {'items': 5}['items'] }} {{ {'a b': 1}['a b'] }}", "{{ -2 ** 2 }} {{ - 3 + 5 }} {{ +3 }} {{ 2 * 3 ~ 4 + 1 }}", "{{ 'a' ~ 'b' in 'xab' }} {{ 1 + 1 == 2 and 2 > 1 }}",
    "{{ 'x' | upper | lower ~ 'Y' }} {{ -1 | abs }} {{ 3 is odd and 2 is even }} {{ not 3 is even }}", "{{ bos_token }}{{ eos_token }}{{ pad_token }}{{ unk_token is defined }}{{ add_generation_prompt }}{{ tools }}{{ documents }}",
    "{{ {'a': 1} == {'a': 1} }} {{ [1, 2] == [1, 2] }} {{ (1,) == [1] }} {{ [1, 2] < [1, 3] }} {{ 'a' < 'b' }} {{ true == 1 }} {{ none == false }}", "{{ messages[0] }}", "{{ messages | length > 1 and messages[1].content is defined }}",
    "{%- set x = messages[0] -%}{{ x.role }}{{ x['content'] if 'content' in x else '' }}{{ x.get('name', 'anon') }}", "{{ 'ab\u00a0'.strip() }}|{{ '\u3000x'.strip() }}|", "{{ 'a\\tb'.split('\\t') }} {{ 'İ'.lower() | length }} {{ 'ß'.upper() }}",
    "{{ 10 | string | length }}{{ [1,2,3] | length }}{{ (1,2) | length }}", "{% if messages | length == 0 %}none{% elif messages[0].role == 'user' %}user{% else %}other{% endif %}", "{{ ('a', 'b') | join }}{{ 'abc' | replace('b', 'X') }}{{ 'aaa' | replace('a', 'b', 2) }}",
    "{{ 1 if messages else 2 }}{{ messages and 'y' or 'n' }}", "{{ 'line1\\\nline2' }}", "{{ true }}{{ True }}{{ none }}{{ None }}{{ false }}", "{{ 'x' is defined and missing is not defined }}",
]


def case(name, template, document):
    entry = {'name': name, 'template': template, 'document': document}
    try:
        rendered, _ = render_jinja_template(
            [document['messages']], tools=document.get('tools'), chat_template=template, add_generation_prompt=False,
            **TOKENS)
        entry['text'] = rendered[0]
    except Exception as error:  # whatever it is, the template gives no text
        entry['fails'] = True
        entry['why'] = type(error).__name__
    return entry


def main():
    cases = []
    for template_name, template in WHOLE.items():
        for name, messages in CONVERSATIONS.items():
            cases.append(case(f'{template_name}/{name}', template, {'messages': messages}))
        cases.append(case(f'{template_name}/tools given', template, {'messages': CONVERSATIONS['tools'], 'tools': TOOLS}))
    for index, template in enumerate(GRAMMAR):
        cases.append(case(f'grammar/{index}', template, {'messages': CONVERSATIONS['system']}))
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), 'cases.json')
    with open(path, 'w', encoding='utf-8') as out:
        json.dump({'tokens': TOKENS, 'cases': cases}, out, ensure_ascii=False, indent=1)
        out.write('\n')
    print(f'{len(cases)} cases, {sum("fails" in c for c in cases)} of them fail')


if __name__ == '__main__':
    main()
