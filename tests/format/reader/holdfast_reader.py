#!/usr/bin/env python3
"""Reads Holdfast repositories, written from docs/format.md alone: the way out without the program.

    holdfast_reader.py [--passphrase-file FILE | --key-file FILE] REPOSITORY list
    holdfast_reader.py [--passphrase-file FILE | --key-file FILE] REPOSITORY restore BACKUP DIRECTORY

REPOSITORY is a directory store, or a copy of a bucket's folder. Needs Python 3.9, `cryptography` and `zstandard`.
"""

import argparse
import hashlib
import hmac
import io
import json
import os
import re
import sys
import unicodedata

import zstandard
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

BLOCK = 16384
FANOUT = 256
OBJECT_HEADER = 64
FRAME_HEADER = 16
MAX_PLAIN = 4 << 20
MAX_BODY = (4 << 20) + (64 << 10)
MAX_DOCUMENT = 1 << 20
MAX_CONTENT = 64 << 20
SEGMENT, INDEX, LOG = 1, 2, 3
BLOCKS, NODE, FOOTER, TEXT = 1, 2, 3, 4

BACKUP_ID = re.compile(r"\d{8}T\d{6}Z-[0-9a-f]{8}")
ATTEMPT_ID = re.compile(r"[0-9a-f]{8}")
SEGMENT_NAME = re.compile(r"\d{8}T\d{6}Z-[0-9a-f]{8}/[0-9a-f]{8}-(\d{6}|[1-9]\d{6,8})")


class Damaged(Exception):
    """The repository is not what this format says, or not what was written."""


def need(condition, what):
    if not condition:
        raise Damaged(what)


class Store:
    """A directory whose files are the objects."""

    def __init__(self, root):
        self.root = root

    def get(self, key, start=0, length=None):
        try:
            with open(os.path.join(self.root, key), "rb") as file:
                file.seek(start)
                return file.read() if length is None else file.read(length)
        except FileNotFoundError:
            raise Damaged(f"{key} is missing") from None

    def has(self, key):
        return os.path.exists(os.path.join(self.root, key))

    def list(self, folder):
        try:
            return sorted(os.listdir(os.path.join(self.root, folder)))
        except FileNotFoundError:
            return []


def hkdf(key, salt, info):
    return HKDF(hashes.SHA256(), 32, salt or None, b"holdfast/1/" + info).derive(key)


class OpenCipher:
    """Nothing is encrypted."""

    key_id = None

    def block_id(self, plain):
        return hashlib.sha256(plain).digest()

    def document_mac(self, message):
        return None

    def for_object(self, key, salt):
        return lambda header, ordinal, body: body


class KeyedCipher:
    def __init__(self, key):
        self.key = key
        self.key_id = hkdf(key, b"", b"key-id")[:16].hex()
        self.ids = hkdf(key, b"", b"block-ids")
        self.documents = hkdf(key, b"", b"documents")

    def block_id(self, plain):
        return hmac.digest(self.ids, plain, "sha256")

    def document_mac(self, message):
        return hmac.digest(self.documents, message, "sha256").hex()

    def for_object(self, key, salt):
        gcm = AESGCM(hkdf(self.key, salt, b"object"))

        def decrypt(header, ordinal, body):
            try:
                return gcm.decrypt(ordinal.to_bytes(12, "big"), body, key.encode() + b"\n" + header)
            except InvalidTag:
                raise Damaged(f"frame {ordinal} of {key} is not what was written") from None

        return decrypt


def canonical(value):
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=True)


def read_document(store, key, cipher):
    """cipher: None for documents that have no MAC."""
    data = store.get(key, 0, MAX_DOCUMENT + 1)
    need(len(data) <= MAX_DOCUMENT, f"{key} is too large")
    try:
        envelope = json.loads(data.decode("utf-8"))
        document = envelope["document"]
    except (ValueError, KeyError, TypeError):
        raise Damaged(f"{key} is no document") from None
    need(isinstance(document, dict), f"{key} is no document")
    if "digest" in envelope:
        digest = hashlib.sha256((key + "\n" + canonical(document)).encode("utf-8")).hexdigest()
        need(envelope["digest"] == digest, f"{key} is not what was written")
    expected = cipher and cipher.document_mac((key + "\n" + canonical(document)).encode("utf-8"))
    if expected is not None:
        need(hmac.compare_digest(expected, str(envelope.get("mac"))), f"{key} is not what was written with this key")
    return document


def open_repository(store, passphrase, key_file):
    facts = read_document(store, "repository.json", None)
    need(facts.get("format") == 1, f"format {facts.get('format')} is not one this reader knows")
    key_id = facts.get("keyId")
    if key_id is None:
        need(passphrase is None and key_file is None, "the repository says that it is not encrypted")
        return OpenCipher()
    for name in store.list("keys"):
        slot = read_document(store, "keys/" + name, None)
        if slot["keyId"] != key_id:
            continue
        key = open_slot(slot, passphrase, key_file)
        if key is not None and KeyedCipher(key).key_id == key_id:
            return KeyedCipher(key)
    raise SystemExit("no key slot fits")


def open_slot(slot, passphrase, key_file):
    salt = bytes.fromhex(slot["salt"])
    if slot["kind"] == "passphrase" and passphrase is not None:
        n, r, p = (slot["scrypt"][name] for name in "nrp")
        need(n <= 1 << 20 and r <= 16 and p <= 16 and 128 * n * r <= 512 << 20, "a slot asks for too much memory")
        secret = unicodedata.normalize("NFKC", passphrase).encode("utf-8")
        wrapping = hashlib.scrypt(secret, salt=salt, n=n, r=r, p=p, maxmem=1 << 30, dklen=32)
    elif slot["kind"] == "key-file" and key_file is not None:
        wrapping = hkdf(key_file, salt, b"key-file")
    else:
        return None
    try:
        wrapped = bytes.fromhex(slot["wrapped"])
        return AESGCM(wrapping).decrypt(bytes.fromhex(slot["nonce"]), wrapped, slot["slot"].encode())
    except InvalidTag:
        return None


def open_header(header, content, cipher, key):
    """Returns what decrypts the frames of the object."""
    need(len(header) >= OBJECT_HEADER and header[:8] == b"HOLDFAST", f"{key} does not begin as an object of this format")
    need(header[8] == 1 and header[9] == content, f"{key} is of another format or kind")
    key_id = header[16:32].hex() if header[10] else None
    need(key_id == cipher.key_id, f"{key} was written with another key")
    return cipher.for_object(key, header[32:64])


def open_frame(data, decrypt, key):
    """data: header and body. Returns kind, ordinal and plain bytes."""
    need(len(data) >= FRAME_HEADER, f"a frame of {key} is cut short")
    kind, codec, zero = data[0], data[1], data[2:4]
    ordinal, plain_length, body_length = (int.from_bytes(data[at : at + 4], "little") for at in (4, 8, 12))
    need(1 <= kind <= 4 and codec <= 1 and zero == b"\0\0", f"a frame header of {key} makes no sense")
    need(plain_length <= MAX_PLAIN and body_length <= MAX_BODY, f"a frame of {key} is too large")
    need(len(data) == FRAME_HEADER + body_length, f"a frame of {key} is cut short")
    plain = decrypt(data[:FRAME_HEADER], ordinal, data[FRAME_HEADER:])
    if codec == 1:
        plain = decompress(plain, plain_length, key)
    need(len(plain) == plain_length, f"a frame of {key} has another length than it says")
    return kind, ordinal, plain


def decompress(data, length, key):
    try:
        with zstandard.ZstdDecompressor(max_window_size=8 << 20).stream_reader(io.BytesIO(data)) as reader:
            return reader.read(length + 1)
    except zstandard.ZstdError:
        raise Damaged(f"a frame of {key} does not decompress") from None


def read_object(store, key, content, cipher):
    data = store.get(key, 0, MAX_CONTENT + (1 << 20))
    decrypt = open_header(data, content, cipher, key)
    parts, at = [], OBJECT_HEADER
    while at < len(data):
        end = at + FRAME_HEADER + int.from_bytes(data[at + 12 : at + 16], "little")
        kind, ordinal, plain = open_frame(data[at:end], decrypt, key)
        need(kind == TEXT and ordinal == len(parts), f"the frames of {key} are out of order")
        parts.append(plain)
        need(sum(map(len, parts)) <= MAX_CONTENT, f"{key} is too large")
        at = end
    return data, b"".join(parts)


class Fields:
    """Reads the little binary fields of a node."""

    def __init__(self, data, what):
        self.data, self.what, self.at = data, what, 0

    def bytes(self, length):
        need(self.at + length <= len(self.data), f"{self.what} is cut short")
        self.at += length
        return self.data[self.at - length : self.at]

    def u8(self):
        return self.bytes(1)[0]

    def varint(self, largest=2**53 - 1):
        value = shift = 0
        while True:
            byte = self.u8()
            value |= (byte & 0x7F) << shift
            need(value <= largest, f"a number of {self.what} is too large")
            if byte < 0x80:
                return value
            shift += 7
            need(shift <= 49, f"a number of {self.what} is too long")

    def text(self):
        try:
            return self.bytes(self.varint(511)).decode("utf-8")
        except UnicodeDecodeError:
            raise Damaged(f"a text of {self.what} is not UTF-8") from None

    def names(self, most):
        attempts = [self.text() for _ in range(self.varint(most))]
        names = []
        for _ in range(self.varint(most)):
            which = self.varint()
            need(which < len(attempts), f"a name of {self.what} is missing")
            name = f"{attempts[which]}-{self.varint():06d}"
            need(SEGMENT_NAME.fullmatch(name), f"{self.what} names an impossible segment")
            names.append(name)
        return names

    def place(self, names):
        """None for a block of zeros."""
        number = self.varint(len(names))
        if number == 0:
            return None
        return names[number - 1], self.varint(), self.varint(MAX_BODY), self.varint(MAX_PLAIN)

    def end(self):
        need(self.at == len(self.data), f"{self.what} has bytes too many")


class Backup:
    def __init__(self, store, cipher, seal):
        self.store, self.cipher, self.seal = store, cipher, seal
        self.ciphers, self.frames = {}, {}
        key = f"backups/{seal['backup']}/{seal['attempt']}-index"
        stored, content = read_object(store, key, INDEX, cipher)
        need(hashlib.sha256(stored).hexdigest() == seal["indexDigest"], f"{key} is not what was sealed")
        self.root = json.loads(content)
        same = all(self.root[name] == seal[name] for name in ("backup", "attempt", "files", "logicalBytes"))
        need(self.root["format"] == 1 and same, f"{key} belongs to another backup")

    def frame(self, segment, offset, length):
        where = (segment, offset)
        if where not in self.frames:
            key = f"backups/{segment}.segment"
            if segment not in self.ciphers:
                header = self.store.get(key, 0, OBJECT_HEADER)
                self.ciphers[segment] = open_header(header, SEGMENT, self.cipher, key)
            data = self.store.get(key, offset, FRAME_HEADER + length)
            if len(self.frames) > 64:
                self.frames.clear()
            self.frames[where] = open_frame(data, self.ciphers[segment], key)[2]
        return self.frames[where]

    def verified(self, place, identity, length=None):
        segment, offset, body, start = place
        plain = self.frame(segment, offset, body)[start:][:length]
        need(self.cipher.block_id(plain) == identity, f"a block of {segment} is not what was written")
        return plain

    def files(self):
        """Path, size, height, place and id of each file's root, in order."""
        top = self.root["fileList"]
        place = (top["segment"], top["offset"], top["length"], 0)
        before, count, total = None, 0, 0
        for entry in self.page(place, bytes.fromhex(top["id"]), None):
            path = entry[0].encode("utf-8")
            need(before is None or before < path, "the list of files is out of order")
            before, count, total = path, count + 1, total + entry[1]
            yield entry
        counted = (self.root["files"], self.root["logicalBytes"])
        need((count, total) == counted, "the list of files is not complete")

    def page(self, place, identity, level):
        fields = Fields(self.verified(place, identity), "a page of files")
        need(fields.u8() == 2, "a page of files is none")
        found = fields.u8()
        need(found <= 8 and level in (None, found), "a page of files is of another level")
        count = fields.varint(1024)
        names = fields.names(1024)
        entries = []
        for _ in range(count):
            if found == 0:
                path, size, flags, height = fields.text(), fields.varint(), fields.u8(), fields.u8()
                need(is_safe(path) and flags <= 3 and bool(flags & 2) == (size == 0), "a file makes no sense")
                root = fields.place(names) if size else None
                entries.append((path, size, height, root, fields.bytes(32) if root else None))
            else:
                fields.text()
                below = fields.place(names)
                need(below is not None, "a page of files has no place")
                entries.append((below, fields.bytes(32)))
        fields.end()
        for entry in entries:
            if found == 0:
                yield entry
            else:
                yield from self.page(*entry, found - 1)

    def blocks(self, size, height, place, identity):
        """Number and bytes of each block that is not all zeros."""
        total = -(-size // BLOCK)
        fitting = 0
        while FANOUT**fitting < total:
            fitting += 1
        need(height == fitting, "a file's tree does not fit its size")
        if place is None:
            need(height == 0, "a node has no place")
            return
        if height == 0:
            yield 0, self.verified(place, identity, size)
            return
        for number, found, own in self.extent(place, identity, height, 0, total):
            yield number, self.verified(found, own, min(BLOCK, size - number * BLOCK))

    def extent(self, place, identity, level, first, blocks):
        fields = Fields(self.verified(place, identity), "an extent")
        each = FANOUT ** (level - 1)
        need(fields.u8() == 1 and fields.u8() == level, "an extent is none, or of another level")
        count = fields.varint(FANOUT)
        need(count == -(-blocks // each), "an extent does not fit its file")
        names = fields.names(FANOUT)
        children = []
        for _ in range(fields.varint(FANOUT)):
            length, start = fields.varint(FANOUT), fields.place(names)
            for at in range(length):
                children.append(start and (*start[:3], start[3] + at * BLOCK))
        need(len(children) == count, "the runs of an extent do not fit")
        found = [(child, fields.bytes(32)) for child in children if child]
        fields.end()
        ids = iter(found)
        for at, child in enumerate(children):
            if child is None:
                need(level == 1, "a node has no place")
                continue
            where, own = next(ids)
            if level == 1:
                yield first + at, where, own
            else:
                yield from self.extent(where, own, level - 1, first + at * each, min(each, blocks - at * each))

    def restore(self, directory):
        for path, size, height, place, identity in self.files():
            full = os.path.join(directory, path)
            os.makedirs(os.path.dirname(full), exist_ok=True)
            with open(full, "xb") as file:
                file.truncate(size)
                if size == 0:
                    continue
                for number, data in self.blocks(size, height, place, identity):
                    file.seek(number * BLOCK)
                    file.write(data)


def is_safe(path):
    parts = path.split("/")
    return 0 < len(path.encode("utf-8")) <= 511 and "\0" not in path and all(p not in ("", ".", "..") for p in parts)


def sealed(store, cipher, backup):
    """The seal of a backup; None unless it is sealed and not deleted."""
    if store.has(f"deleted/{backup}.json") or not store.has(f"seals/{backup}.json"):
        return None
    seal = read_document(store, f"seals/{backup}.json", cipher)
    need(seal.get("backup") == backup, f"the seal of {backup} is another's")
    if seal.get("state") != "sealed":
        return None
    need(ATTEMPT_ID.fullmatch(str(seal.get("attempt"))), f"the seal of {backup} makes no sense")
    return seal


def read_secret(arguments):
    passphrase = key_file = None
    if arguments.passphrase_file:
        with open(arguments.passphrase_file, encoding="utf-8") as file:
            passphrase = file.read().rstrip("\n")
    if arguments.key_file:
        with open(arguments.key_file, "rb") as file:
            key_file = file.read()
    return passphrase, key_file


def main():
    parser = argparse.ArgumentParser(description="Reads Holdfast repositories.")
    secret = parser.add_mutually_exclusive_group()
    secret.add_argument("--passphrase-file")
    secret.add_argument("--key-file")
    parser.add_argument("repository")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("list", help="the backups and their notes, one JSON object a line")
    restore = commands.add_parser("restore", help="writes the files of one backup into a new directory")
    restore.add_argument("backup")
    restore.add_argument("directory")
    arguments = parser.parse_args()
    store = Store(arguments.repository)
    cipher = open_repository(store, *read_secret(arguments))
    if arguments.command == "list":
        for name in store.list("seals"):
            backup = name[: -len(".json")]
            seal = BACKUP_ID.fullmatch(backup) and sealed(store, cipher, backup)
            if not seal:
                continue
            folder = f"notes/{backup}"
            notes = [read_document(store, f"{folder}/{note}", cipher) for note in store.list(folder)]
            print(json.dumps({"seal": seal, "notes": notes}))
        return
    need(BACKUP_ID.fullmatch(arguments.backup), "that is no backup id")
    seal = sealed(store, cipher, arguments.backup)
    need(seal is not None, f"there is no backup {arguments.backup}")
    os.mkdir(arguments.directory)
    Backup(store, cipher, seal).restore(arguments.directory)
    print(json.dumps({"files": seal["files"], "bytes": seal["logicalBytes"]}))


if __name__ == "__main__":
    try:
        main()
    except Damaged as error:
        sys.exit(f"Cannot read the repository as {error}")
