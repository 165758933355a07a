"""A stand-in for curl on machines without it, with the options that the README uses."""

import sys
from argparse import ArgumentParser
from urllib.error import HTTPError
from urllib.request import Request, urlopen

parser = ArgumentParser()
parser.add_argument("url")
parser.add_argument("-s", action="store_true")
parser.add_argument("-S", action="store_true")
parser.add_argument("-w", default="")
parser.add_argument("-X")
parser.add_argument("-H", action="append", default=[])
parser.add_argument("-d")
options = parser.parse_args()
headers = dict(header.split(": ", 1) for header in options.H)
request = Request(options.url, options.d and options.d.encode(), headers, method=options.X)
try:
    answer = urlopen(request, timeout=10)
except HTTPError as error:  # curl prints what the server says, whatever the status
    answer = error
with answer:
    sys.stdout.write(answer.read().decode() + options.w.replace("\\n", "\n"))
