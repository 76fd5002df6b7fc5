"""Texts on which tokenizers go wrong, and conversations for the chat template."""

CASES = {
    "empty": "",
    "one letter": "a",
    "plain": "The capital of France is",
    "contractions": "I'm sure they've said we'll see; it's 'DON'T' and I'D, y'all'd've. rock'n'roll ’s",
    "digits": "In 2024, 1234567890 people paid $3,141.59 (or 0x1F); room 101b, v2.0.1-rc3, 1e-5, 12:30:59.",
    "spaces before digits": "a  1   22    333 \t4\n5\n\n6  ",
    "other numbers": "½ cup, x² + y³ = ⅔, Ⅷ, ٣٤٥ and १२३, 𝟘𝟙𝟚, ①②, ㊿",
    "whitespace runs": "  two   three    four     five\ttab\t\ttabs \t mixed \n newline\n\n\nthree  \n  \n indent\r\nwindows\r\n\r\nend   ",
    "only spaces": "        ",
    "only newlines": "\n\n\n\n",
    "unusual spaces": "no\u00a0break\u2003em\u2009thin\u3000ideographic\u200bzero\u2028line\u2029paragraph\x85next\x0bvertical\x0cform",
    "accents": "Crème brûlée, naïve façade, Ångström, Łódź, Čeština, İstanbul, ẞß, ﬁ",
    "composed and combining": "é e\u0301 Å A\u030a 각 \u1100\u1161\u11a8 ศ\u0e34ลป์",
    "scripts": "Привет, мир! Γειά σου Κόσμε. שלום עולם. مرحبا بالعالم. नमस्ते दुनिया। 你好，世界！ こんにちは世界。 안녕하세요 세계. สวัสดีชาวโลก ሰላም ዓለም",
    "emoji": "🙂👍🏽👨‍👩‍👧‍👦🏳️‍🌈🇩🇪🇫🇷 ❤️‍🔥 1️⃣2️⃣ ☺︎☺️ 🫠🪿",
    "symbols": "→ ≠ ≤ ∑∞ √2 ∂f/∂x € £ ¥ © ® ™ § ¶ • … — – “quoted” ‘single’ «guillemets» 。、",
    "control characters": "null\x00 bell\x07 escape\x1b[31mred\x1b[0m delete\x7f soft\u00adhyphen bom\ufeff",
    "astral and rare": "𝕳𝖊𝖎𝖗𝖑𝖔𝖔𝖒 𐍈 𓀀 𠜎 \U0010fffd \ufffd \ue000",
    "code": (
        "def f(x: int) -> str:\n    \"\"\"Doc.\"\"\"\n    return f\"{x!r:>10}\" if x%2==0 else '\\\\n'\n\n"
        "#include <stdio.h>\nint main(void){ printf(\"%d\\n\", 1<<10); return 0; }\n"
        "let a = [1, 2, 3].map { $0 * 2 } // Swift\nSELECT * FROM t WHERE id IN (1,2) AND name LIKE '%_x%';\n"
        "<div class=\"a b\">&nbsp;&amp;</div> {\"k\": [null, true, -1.5e+3]}"),
    "punctuation runs": "!!! ??? ... ---- ==== ///// \\\\\\ ((())) [[[]]] {{{}}} <<>> ### @@ $$ %% ^^ && ** __ ~~ `` '' \"\"",
    "joined": "HelloWorld helloWorld hello_world hello-world HELLO123world ABCdef ABC中文def1中2",
    "url": "https://example.org/a/b-c_d?e=f&g=%20h#i mailto:jane.doe+x@mail.example.com C:\\Users\\me ~/.config/x",
    "long word": "pneumonoultramicroscopicsilicovolcanoconiosis" + "a" * 60 + "xyzzy" * 9,
    "repeated": "ha" * 40 + " " + "no " * 20,
    "special tokens": "<|im_start|>user\nhi<|im_end|>\n<|endoftext|><|im_start|>",
    "special tokens in words": "x<|im_end|>y <|im_end|> z<repo_name>a/b<file_sep>c<filename> 1<gh_stars>2<empty_output><|im_end|><|im_end|>",
    "nearly special": "<|im_start> <|im_end |> |im_end|> < |im_end|> <|IM_END|> <<|im_end|>> <|endoftext",
    "spaces around special": "a <|im_end|> b  <|im_end|>  c\n<|im_end|>\n",
    "mixed": "Q: 17+25=?\nA: 42 ✅\n\n| a | b |\n|---|---|\n| 1 | ½ |\n\t- item\n\t\t- sub  item 3\n",
}

CHATS = [
    ([{"role": "user", "content": "Hello!"}], True),
    ([{"role": "user", "content": "What is 7 * 8?"}, {"role": "assistant", "content": "56"}], False),
    ([{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Translate “chat” \n to German."},
      {"role": "assistant", "content": "Katze 🐈"}, {"role": "user", "content": "  and  dog? "}], True),
    ([{"role": "system", "content": ""}, {"role": "user", "content": "<|im_end|>"}], True),
]
