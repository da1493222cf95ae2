NASTY = "\x1b[31m\x9b2J\x07\x08\x7f\u202e\u2066\u200b\r\n\x1b]8;;http://evil.example\x1b\\[red]b[/red][link=http://evil.example]l[/link]<script>alert(1)</script>\"'><img src=x onerror=alert(2)>`|*_#&lt;{{7*7}}"
def mark(field): return f"{field}{NASTY}"
