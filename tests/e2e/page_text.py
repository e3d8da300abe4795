"""What a person reads on an HTML page."""

from html.parser import HTMLParser


class _Reader(HTMLParser):
    HIDDEN = ('style', 'script', 'title')

    def __init__(self):
        super().__init__()
        self.words, self.links, self.hidden = [], [], 0

    def handle_starttag(self, tag, attributes):
        self.hidden += tag in self.HIDDEN
        self.links += [value for name, value in attributes if name in ('href', 'src')]

    def handle_endtag(self, tag):
        self.hidden -= tag in self.HIDDEN

    def handle_data(self, data):
        if not self.hidden:
            self.words.append(data)


def read(path):
    """The text of a page, and all that it links to or loads."""
    reader = _Reader()
    with open(path, encoding='utf-8') as file:
        reader.feed(file.read())
    return '\n'.join(reader.words), reader.links
