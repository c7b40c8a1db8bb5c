/**
 * The chunk layout that decoder and encoder share. All integers are little-endian.
 *
 * magic 8 | flags 1 | type 1 | path length 4 | path | then by type:
 *   P  payload length 8, offset in the file 8, CRC-32 4, payload
 *   S  entries of the sparse map 4, payload length 8, offset 8, CRC-32 (of map, then payload) 4, map, payload
 *   E  nothing: the file is complete
 * A map entry is (skip 4, length 4): leave a hole of `skip` bytes, then write the payload's next `length` bytes.
 */
export const magic: Uint8Array = new TextEncoder().encode('XBSTCK01');
export const chunkType = { payload: 0x50, sparse: 0x53, end: 0x45 } as const;
/** Magic, flags, type and path length: what every chunk begins with. */
export const fixedHeaderBytes = 14;
export const payloadHeaderBytes = 20;
export const sparseHeaderBytes = 24;
export const sparseEntryBytes = 8;
/** The tools refuse names of 512 bytes and more. */
export const maximumPathBytes = 511;
/** One buffer of the tool in pages of 4 KiB gives 2,560 entries; this leaves room for buffers of 512 MiB. */
export const maximumSparseEntries = 131_072;
