using System.Buffers.Binary;
using System.IO.Compression;

namespace Fusion.IO;

/// <summary>
/// The content of an entry of a zip archive, from its first byte to its last one: the length is that of the directory, and so is the checksum, which .NET
/// does not look at.
/// </summary>
/// <remarks>CRC-32, eight bytes at a time: Kounavis and Berry, "Novel table lookup-based algorithms for high-performance CRC generation", 2008.</remarks>
internal sealed class ZipEntryStream(ZipArchiveEntry entry, string what) : Stream
{
    private static readonly uint[] s_tables = Tables();

    private readonly Stream _content = entry.Open();
    private long _position;
    private uint _crc = uint.MaxValue;

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => entry.Length;

    public override long Position { get => _position; set => throw new NotSupportedException(); }

    public override int Read(Span<byte> buffer)
    {
        int got = _content.Read(buffer[..(int)Math.Min(buffer.Length, Length - _position)]);
        _crc = Next(_crc, buffer[..got]);
        _position += got;
        return got;
    }

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    /// <summary>Reads what is left.</summary>
    /// <exception cref="InvalidDataException">The content is not what was written.</exception>
    public void CheckRest()
    {
        Span<byte> rest = stackalloc byte[256];
        while (_position < Length && Read(rest) > 0) { }
        if (_position < Length || ~_crc != entry.Crc32)
            throw new InvalidDataException($"{what}: the checksum is {~_crc:X8}, the archive says {entry.Crc32:X8}. The file is damaged.");
    }

    public override void Flush() { }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing) _content.Dispose();
        base.Dispose(disposing);
    }

    private static uint Next(uint crc, ReadOnlySpan<byte> bytes)
    {
        uint[] t = s_tables;
        for (; bytes.Length >= 8; bytes = bytes[8..])
        {
            ulong x = BinaryPrimitives.ReadUInt64LittleEndian(bytes) ^ crc;
            crc = t[0x700 + (byte)x] ^ t[0x600 + (byte)(x >> 8)] ^ t[0x500 + (byte)(x >> 16)] ^ t[0x400 + (byte)(x >> 24)]
                ^ t[0x300 + (byte)(x >> 32)] ^ t[0x200 + (byte)(x >> 40)] ^ t[0x100 + (byte)(x >> 48)] ^ t[(byte)(x >> 56)];
        }

        foreach (byte b in bytes) crc = t[(byte)(crc ^ b)] ^ (crc >> 8);
        return crc;
    }

    // Of a byte, and of a byte with one to seven zero bytes behind it.
    private static uint[] Tables()
    {
        uint[] tables = new uint[8 * 256];
        for (uint i = 0; i < 256; i++)
        {
            uint crc = i;
            for (int bit = 0; bit < 8; bit++) crc = (crc & 1) == 0 ? crc >> 1 : (crc >> 1) ^ 0xEDB88320;
            tables[i] = crc;
        }

        for (int i = 256; i < tables.Length; i++) tables[i] = tables[(byte)tables[i - 256]] ^ (tables[i - 256] >> 8);
        return tables;
    }
}
