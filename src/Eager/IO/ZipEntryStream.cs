using System.IO.Compression;
using System.IO.Hashing;

namespace Fusion.IO;

/// <summary>
/// The content of an entry of a zip archive, from its first byte to its last one: the length is that of the directory, and so is the checksum, which .NET
/// does not look at.
/// </summary>
internal sealed class ZipEntryStream(ZipArchiveEntry entry, string what) : Stream
{
    private readonly Stream _content = entry.Open();
    private readonly Crc32 _crc = new();
    private long _position;

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => entry.Length;

    public override long Position { get => _position; set => throw new NotSupportedException(); }

    public override int Read(Span<byte> buffer)
    {
        int got = _content.Read(buffer[..(int)Math.Min(buffer.Length, Length - _position)]);
        _crc.Append(buffer[..got]);
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
        uint actual = _crc.GetCurrentHashAsUInt32();
        if (_position < Length || actual != entry.Crc32)
            throw new InvalidDataException($"{what}: the checksum is {actual:X8}, the archive says {entry.Crc32:X8}. The file is damaged.");
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
}
