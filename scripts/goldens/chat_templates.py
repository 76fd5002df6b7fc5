#!/usr/bin/env python3
"""Records what transformers' `apply_chat_template` makes of conversations with templates of many kinds.

    python3 scripts/goldens/chat_templates.py

Writes Tests/TokenizationTests/Fixtures/chat-templates.json.
"""

import sys
from pathlib import Path

# A script beside this one has the name of a library that transformers imports.
sys.path[0] = str(Path(__file__).resolve().parent / "lib")

from golden import fixtures, header, write_json
from stress_text import CHATS
from tokenizers import Tokenizer, models
from transformers import PreTrainedTokenizerFast

TURN = "{{'<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>' + '\\n'}}"
PROMPT = "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"


def with_default(system: str) -> str:
    first = "{% if loop.first and messages[0]['role'] != 'system' %}{{ '<|im_start|>system\\n" + system + "<|im_end|>\\n' }}{% endif %}"
    return "{% for message in messages %}" + first + TURN + "{% endfor %}" + PROMPT


TEMPLATES = {
    "chatml": "{% for message in messages %}" + TURN + "{% endfor %}" + PROMPT,
    "chatml with a default system message": with_default("You are a helpful AI assistant named SmolLM, trained by Hugging Face"),
    "chatml with another one": with_default("You are a helpful assistant."),
    "chatml over lines, trimmed": """{%- if messages[0].role == "system" %}
    {{- "<|im_start|>system\\n" + messages[0].content + "<|im_end|>\\n" }}
{%- else %}
    {{- '<|im_start|>system\\nBe kind.<|im_end|>\\n' }}
{%- endif %}
{#- a comment -#}
{%- for message in messages %}
    {%- if (message.role == "user") or (message.role == "system" and not loop.first) or (message.role == "assistant" and not message.tool_calls) %}
        {{- "<|im_start|>" ~ message.role ~ "\\n" ~ message.content ~ "<|im_end|>" + "\\n" }}
    {%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- "<|im_start|>assistant\\n" }}
{%- endif %}
""",
    "header ids": """{{ bos_token }}{% set ns = namespace(count=0) %}
{% for message in messages %}
  {% set ns.count = ns.count + 1 %}
<|{{ message['role'] | upper }}|>{{ ns.count }}/{{ loop.length }} {{ loop.revindex0 }}

{{ message['content'] | trim }}{{ eos_token if loop.last else '|' }}
{% endfor %}
  {%- if add_generation_prompt is defined and add_generation_prompt %} <|ASSISTANT|>{% endif %}

""",
    "brackets": """{% if messages[0]['role'] == 'system' %}{% set rest = messages[1:] %}{% set system = messages[0]['content'] %}{% else %}
{% set rest = messages %}{% set system = none %}{% endif %}
{% for m in rest if m.role in ['user', 'assistant'] %}
{%- if m.role == 'user' -%}
[INST] {% if system is not none and loop.index0 == 0 %}<<{{ system }}>>{% endif %}{{ m['content'].strip() }} [/INST]
{%- elif m.role == 'assistant' %} {{ m['content'].split('</think>')[-1].lstrip('\\n') }} {{ eos_token }}
{%- else %}{{ raise_exception('no') }}{% endif %}
{% endfor %}{{ rest | rejectattr('role', 'equalto', 'user') | list | length }}{{ ['a', 'b', ''] | reject('equalto', 'b') | select | join('+') }} {{ rest[::-1][0].role }} {{ rest | length }} {{ 7 // 2 - 9 % 4 * 2 }} {{ {'a': [1, 'é<']} | tojson }} {{ undefined_name }}|{{ none }}{{ true }}
""",
    "spaces before blocks": "a\n   {% if true %}\n  b\n   {%+ if true %}c{% endif %}  \n\t{# gone #}\n  {{ 'd' }}  \n{% endif %}\n\n{% for x in range(3) -%}\n {{ x }}\n{%- endfor %} e\n",
    "think blocks": """{%- set last = namespace(index=-1) -%}
{%- for m in messages[::-1] %}{% set i = (messages|length - 1) - loop.index0 %}{% if last.index < 0 and m.role == 'user' and not (m.content.startswith('<t>') and m.content.endswith('</t>')) %}{% set last.index = i %}{% endif %}{% endfor -%}
{%- for m in messages %}{% set content = m.content if m.content is string else '' %}{% if m.role == 'assistant' and loop.index0 > last.index %}<think>

</think>

{% endif %}{{ m.role }}: {{ content }}{{ '\\n\\n' }}{% endfor -%}
{%- if add_generation_prompt %}{% if enable_thinking is defined and enable_thinking is false %}x{% endif %}assistant: {% endif %}""",
}

MORE = [
    ([{"role": "user", "content": "a<think>x</think>\n\nb \n"}, {"role": "assistant", "content": "<think>\nyes\n</think>\n\n é\u0301 \\n {{ x }}"}], False),
    ([{"role": "user", "content": "one"}, {"role": "assistant", "content": "\t two\u00a0"}, {"role": "user", "content": "\r\nthree"}], True),
]

if __name__ == "__main__":
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=Tokenizer(models.BPE()), bos_token="<s>", eos_token="</s>")
    cases = []
    for name, template in TEMPLATES.items():
        for messages, prompt in CHATS + MORE:
            text = tokenizer.apply_chat_template(messages, chat_template=template, add_generation_prompt=prompt, tokenize=False)
            cases.append({"template": name, "messages": messages, "add_generation_prompt": prompt, "text": text})
    templates = [{"name": name, "template": template} for name, template in TEMPLATES.items()]
    write_json(fixtures("Tokenization") / "chat-templates.json",
               header("chat_templates.py", "transformers", "jinja2") | {"templates": templates, "cases": cases})
