using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Fusion.IO;

/// <summary>Elements of arrays to and from streams, in row-major order and the machine's byte order, and files that are replaced as a whole.</summary>
internal static class ArrayStream
{
    // Spans count in int; arrays do not.
    private const int ChunkBytes = 1 << 24;

    public static void Write(Stream stream, NDArray x)
    {
        NDArray dense = x.OnHost().Contiguous();
        long bytes = dense.Size * dense.DType.Size;
        for (long at = 0; at < bytes; at += ChunkBytes) stream.Write(Chunk(dense, at, bytes));
        GC.KeepAlive(dense);
    }

    /// <summary>An array of elements that follow in the stream.</summary>
    /// <exception cref="InvalidDataException">The stream ends before the last element.</exception>
    public static NDArray Read(Stream stream, DType dtype, Shape shape, string what)
    {
        NDArray x = NDArray.Allocate(dtype, shape);
        long bytes = x.Size * dtype.Size;
        for (long at = 0; at < bytes; at += ChunkBytes) ReadExactly(stream, Chunk(x, at, bytes), what);
        if (dtype == DType.Bool && bytes > 0)
            for (long at = 0; at < bytes; at += ChunkBytes) RequireBools(Chunk(x, at, bytes), what);
        GC.KeepAlive(x);
        return x;
    }

    /// <exception cref="InvalidDataException">The stream ends too early.</exception>
    public static void ReadExactly(Stream stream, Span<byte> target, string what)
    {
        int got = stream.ReadAtLeast(target, target.Length, throwOnEndOfStream: false);
        if (got < target.Length)
            throw new InvalidDataException($"{what}: the data ends {target.Length - got} bytes too early. The file is cut off or its header is wrong.");
    }

    /// <summary>The stream itself if its length is known, else its content in memory: sizes that a header claims are checked before memory is taken.</summary>
    public static Stream Seekable(Stream stream)
    {
        if (stream.CanSeek) return stream;
        MemoryStream copy = new();
        stream.CopyTo(copy);
        copy.Position = 0;
        return copy;
    }

    /// <summary>Writes beside the file and then takes its place, so that a failure leaves the old file as it was.</summary>
    public static void Replace(string path, Action<Stream> write)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        string temporary = $"{path}.{Path.GetRandomFileName()}";
        try
        {
            using (FileStream stream = new(temporary, FileMode.CreateNew, FileAccess.Write, FileShare.None, 1 << 16)) write(stream);
            File.Move(temporary, path, overwrite: true);
        }
        catch
        {
            File.Delete(temporary);
            throw;
        }
    }

    /// <summary>Reverses the bytes of each element: files of the other byte order.</summary>
    public static void ReverseBytes(NDArray x)
    {
        int size = x.DType.Size;
        long bytes = x.Size * size;
        if (size == 1) return;
        for (long at = 0; at < bytes; at += ChunkBytes)
        {
            Span<byte> chunk = Chunk(x, at, bytes);
            for (int i = 0; i < chunk.Length; i += size) chunk.Slice(i, size).Reverse();
        }
    }

    private static Span<byte> Chunk(NDArray x, long at, long bytes) =>
        MemoryMarshal.CreateSpan(ref Unsafe.AddByteOffset(ref x.Data, (nint)at), (int)Math.Min(ChunkBytes, bytes - at));

    private static void RequireBools(ReadOnlySpan<byte> values, string what)
    {
        if (values.IndexOfAnyExcept((byte)0, (byte)1) is >= 0 and int at)
            throw new InvalidDataException($"{what}: a Bool element is stored as {values[at]}; it must be 0 or 1.");
    }
}
