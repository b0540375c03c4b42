using System.Buffers.Binary;
using System.Text;

namespace Fusion.IO;

/// <summary>One array in NumPy's file format, as <c>numpy.save</c> and <c>numpy.load</c> write and read it.</summary>
/// <remarks>The format: NumPy, "NEP 1: A simple file format for NumPy arrays", versions 1.0 to 3.0.</remarks>
public static class Npy
{
    private static ReadOnlySpan<byte> Magic => [0x93, (byte)'N', (byte)'U', (byte)'M', (byte)'P', (byte)'Y'];

    /// <summary>Writes an array to a file, replacing it.</summary>
    public static void Save(string path, NDArray x)
    {
        CheckReadable(x);
        ArrayStream.Replace(path, stream => Save(stream, x));
    }

    /// <summary>Reads the array of a file; both byte orders, row- and column-major.</summary>
    /// <exception cref="InvalidDataException">The file is not a valid .npy file, or its element type has no counterpart.</exception>
    public static NDArray Load(string path)
    {
        using FileStream stream = File.OpenRead(path);
        return Load(stream, path);
    }

    /// <summary>Writes an array to a stream.</summary>
    public static void Save(Stream stream, NDArray x)
    {
        ArgumentNullException.ThrowIfNull(stream);
        CheckReadable(x);
        string shape = x.Rank == 1 ? $"({x.Shape[0]},)" : $"({string.Join(", ", x.Shape)})";
        string header = $"{{'descr': '{NpyHeader.Describe(x.DType)}', 'fortran_order': False, 'shape': {shape}, }}";
        // Version 1.0; the elements start at a multiple of 64.
        int length = (10 + header.Length + 1 + 63) / 64 * 64 - 10;
        Span<byte> start = stackalloc byte[10];
        Magic.CopyTo(start);
        (start[6], start[7]) = (1, 0);
        BinaryPrimitives.WriteUInt16LittleEndian(start[8..], checked((ushort)length));
        stream.Write(start);
        stream.Write(Encoding.ASCII.GetBytes(header.PadRight(length - 1) + "\n"));
        ArrayStream.Write(stream, x);
    }

    /// <summary>Reads an array from a stream.</summary>
    /// <exception cref="InvalidDataException">The content is not a valid .npy file, or its element type has no counterpart.</exception>
    public static NDArray Load(Stream stream)
    {
        ArgumentNullException.ThrowIfNull(stream);
        return Load(ArrayStream.Seekable(stream), "Npy.Load");
    }

    internal static NDArray Load(Stream stream, string what)
    {
        Span<byte> start = stackalloc byte[12];
        ArrayStream.ReadExactly(stream, start[..8], what);
        if (!start.StartsWith(Magic)) throw new InvalidDataException($"{what}: not an .npy file: it does not start with the bytes 93 'NUMPY'.");
        if (start[6] is < 1 or > 3) throw new InvalidDataException($"{what}: version {start[6]}.{start[7]} of the .npy format is unknown.");
        int lengthBytes = start[6] == 1 ? 2 : 4;
        ArrayStream.ReadExactly(stream, start.Slice(8, lengthBytes), what);
        long length = lengthBytes == 2 ? BinaryPrimitives.ReadUInt16LittleEndian(start[8..]) : BinaryPrimitives.ReadUInt32LittleEndian(start[8..]);
        if (length > stream.Length - stream.Position)
            throw new InvalidDataException($"{what}: the header claims {length} bytes, {stream.Length - stream.Position} are left.");
        byte[] text = new byte[length];
        ArrayStream.ReadExactly(stream, text, what);
        return NpyHeader.Parse(Encoding.UTF8.GetString(text), what).Read(stream, what);
    }

    internal static void CheckReadable(NDArray x)
    {
        ArgumentNullException.ThrowIfNull(x);
        x.BeginRead("Save");
    }

    internal static void CheckReadable(IReadOnlyDictionary<string, NDArray> arrays, string format)
    {
        ArgumentNullException.ThrowIfNull(arrays);
        foreach ((string name, NDArray array) in arrays) (array ?? throw new ArgumentException($"{format}.Save: the array '{name}' is null.", nameof(arrays))).BeginRead("Save");
    }
}
