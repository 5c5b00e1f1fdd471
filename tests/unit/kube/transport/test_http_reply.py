"""Replies as they come from a connection: whole or byte by byte, good or not."""

import pytest

from sampan.kube.transport.http_reply import MAX_CHUNK_LINE, MAX_HEAD, BadHTTP, ReplyCutOff, ReplyParser

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


def read(data: bytes, *, at_once: int, end: bool = False) -> tuple[ReplyParser, bytes]:
    """Feed so many bytes at once; return the parser and the body."""
    parser, body = ReplyParser(), b""
    for start in range(0, len(data), at_once):
        body += b"".join(parser.feed(data[start : start + at_once]))
    if end:
        parser.end()
    return parser, body


GOOD = {
    "by length": (b"HTTP/1.1 201 Created\r\nContent-Length: 5\r\n\r\nhello", 201, b"hello", True),
    "no reason phrase": (b"HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n", 200, b"", True),
    "no body": (b"HTTP/1.1 204 No Content\r\n\r\n", 204, b"", True),
    "a 304 tells the length of a body that does not come": (b"HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n", 304, b"", True),
    "chunks": (CHUNKED + b"5\r\nhello\r\n1\r\n!\r\n0\r\n\r\n", 200, b"hello!", True),
    "extensions, trailers": (CHUNKED + b"005;a=b\r\nhello\r\nA \r\n012345678\n\r\n0\r\nX: y\r\n\r\n", 200, b"hello012345678\n", True),
    "1xx before it": (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + OK, 200, b"ok", True),
    "a close is announced": (b"HTTP/1.1 200 OK\r\nConnection: Close\r\nContent-Length: 2\r\n\r\nok", 200, b"ok", False),
    "an old server": (b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok", 200, b"ok", False),
    "more than was asked for": (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\n\r\n", 200, b"ok", False),
    "more than the chunks": (CHUNKED + b"2\r\nok\r\n0\r\n\r\nx", 200, b"ok", False),
}  # fmt: skip


@pytest.mark.parametrize("at_once", [1, 2, 7, 10_000])
@pytest.mark.parametrize("name", GOOD)
def test_whole_replies(name: str, at_once: int) -> None:
    data, code, want, reusable = GOOD[name]
    parser, body = read(data, at_once=at_once)
    assert parser.head is not None
    assert (parser.head.code, body, parser.done, parser.reusable) == (code, want, True, reusable)


BAD = {
    "not HTTP": b"SSH-2.0-OpenSSH_9.6\r\n\r\n",
    "HTTP/2": b"HTTP/2 200 OK\r\n\r\n",
    "a code that is none": b"HTTP/1.1 2xx OK\r\n\r\n",
    "a code of four digits": b"HTTP/1.1 2000 OK\r\n\r\n",
    "another protocol": b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\n\r\n",
    "a header without a colon": b"HTTP/1.1 200 OK\r\nContent-Length\r\n\r\n",
    "a header with a blank in its name": b"HTTP/1.1 200 OK\r\nContent-Length : 5\r\n\r\n",
    "a folded header": b"HTTP/1.1 200 OK\r\nX: a\r\n b\r\n\r\n",
    "a bare line feed": b"HTTP/1.1 200 OK\r\nX: a\nContent-Length: 5\r\n\r\n",
    "a NUL": b"HTTP/1.1 200 OK\r\nX: a\0b\r\n\r\n",
    "a negative length": b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
    "a length with a sign": b"HTTP/1.1 200 OK\r\nContent-Length: +1\r\n\r\n",
    "a length of another script": "HTTP/1.1 200 OK\r\nContent-Length: ٣\r\n\r\n".encode(),
    "a length without end": b"HTTP/1.1 200 OK\r\nContent-Length: " + b"9" * 40 + b"\r\n\r\n",
    "two lengths": b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
    "length and chunks": b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
    "an encoding that nobody asked for": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
    "a chunk without a size": CHUNKED + b"\r\nhello\r\n",
    "a size that is no number": CHUNKED + b"xyz\r\nhello\r\n",
    "a negative size": CHUNKED + b"-5\r\nhello\r\n",
    "a size without end": CHUNKED + b"f" * 40 + b"\r\n",
    "a chunk longer than its size": CHUNKED + b"2\r\nhello\r\n",
    "an extension without end": CHUNKED + b"1;" + b"x" * (2 * MAX_CHUNK_LINE),
    "an extension that is too long": CHUNKED + b"1;" + b"x" * (2 * MAX_CHUNK_LINE) + b"\r\n",
    "trailers without end": CHUNKED + b"0\r\n" + b"X: abcdefghijklm\r\n" * (MAX_HEAD // 10),
    "headers without end": b"HTTP/1.1 200 OK\r\n" + b"X: abcdefghijklm\r\n" * (MAX_HEAD // 10),
    "a header without end": b"HTTP/1.1 200 OK\r\nX: " + b"x" * (2 * MAX_HEAD),
    "headers that are too long": b"HTTP/1.1 200 OK\r\nX: " + b"x" * (2 * MAX_HEAD) + b"\r\n\r\n",
}  # fmt: skip


@pytest.mark.parametrize("at_once", [7, 1_000_000])
@pytest.mark.parametrize("name", BAD)
def test_what_is_not_http_is_refused(name: str, at_once: int) -> None:
    with pytest.raises(BadHTTP) as caught:
        read(BAD[name], at_once=at_once)
    assert "x" * 20 not in str(caught.value)


CUT = {
    "nothing": b"",
    "within the headers": b"HTTP/1.1 200 OK\r\nContent-Le",
    "after a 1xx": b"HTTP/1.1 100 Continue\r\n\r\n",
    "within the body": b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel",
    "within a chunk": CHUNKED + b"5\r\nhel",
    "before the last chunk": CHUNKED + b"5\r\nhello\r\n",
    "within the last chunk": CHUNKED + b"5\r\nhello\r\n0\r\n",
}


@pytest.mark.parametrize("name", CUT)
def test_a_reply_that_is_cut_off_is_none(name: str) -> None:
    with pytest.raises(ReplyCutOff):
        read(CUT[name], at_once=1000, end=True)


def test_a_body_without_a_length_ends_with_the_connection() -> None:
    parser, body = read(b"HTTP/1.1 200 OK\r\n\r\nhello", at_once=3)
    assert not parser.done
    parser.end()
    assert (body, parser.done) == (b"hello", True)


def test_headers_are_found_by_their_usual_spelling() -> None:
    parser, _ = read(b"HTTP/1.1 429 Busy\r\nretry-after:  7 \r\nX-A: 1\r\nx-a: 2\r\ncontent-length: 0\r\n\r\n", at_once=1000)
    assert parser.head is not None
    assert parser.head.headers == {"Retry-After": "7", "X-A": "1, 2", "Content-Length": "0"}
