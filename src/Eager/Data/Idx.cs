using System.Buffers.Binary;
using System.IO.Compression;
using Fusion.IO;

namespace Fusion.Data;

/// <summary>
/// One array in the IDX format, in which MNIST and its relatives are published; files compressed with gzip are recognised by their first bytes.
/// </summary>
/// <remarks>The format: LeCun, Cortes and Burges, "The MNIST database of handwritten digits", last section.</remarks>
public static class Idx
{
    /// <summary>Reads the array of a file. Bytes give UInt8; signed bytes and 16-bit integers give Int32.</summary>
    /// <exception cref="InvalidDataException">The file is not a valid IDX file.</exception>
    public static NDArray Load(string path)
    {
        using FileStream file = File.OpenRead(path);
        Span<byte> magic = stackalloc byte[2];
        int got = file.ReadAtLeast(magic, 2, throwOnEndOfStream: false);
        file.Position = 0;
        if (got < 2 || magic[0] != 0x1F || magic[1] != 0x8B) return Load(file, path);
        using GZipStream unpacked = new(file, CompressionMode.Decompress);
        return Load(ArrayStream.Seekable(unpacked), path);
    }

    /// <summary>Writes an array to a file, replacing it; a name that ends in <c>.gz</c> is compressed.</summary>
    /// <exception cref="DTypeException">The format has no Int64 and no Bool.</exception>
    /// <exception cref="ShapeException">The array has no axes.</exception>
    public static void Save(string path, NDArray x)
    {
        Npy.CheckReadable(x);
        byte code = x.DType switch
        {
            DType.UInt8 => 0x08,
            DType.Int32 => 0x0C,
            DType.Float32 => 0x0D,
            DType.Float64 => 0x0E,
            _ => throw new DTypeException($"Idx.Save: the format has no {x.DType}. Convert with AsType(DType.Int32) or AsType(DType.UInt8)."),
        };
        if (x.Rank == 0) throw new ShapeException("Idx.Save: the format has no array without axes. Reshape or ExpandDims first.");
        NDArray swapped = x.Copy();
        ArrayStream.ReverseBytes(swapped);
        ArrayStream.Replace(path, stream =>
        {
            if (path.EndsWith(".gz", StringComparison.OrdinalIgnoreCase))
            {
                using GZipStream packed = new(stream, CompressionLevel.Optimal);
                Write(packed, code, swapped);
            }
            else
            {
                Write(stream, code, swapped);
            }
        });
    }

    /// <summary>Images and labels as MNIST has them: samples (n, 1, height, width), Float32 in [0, 1], and class indices (n), Int32.</summary>
    /// <exception cref="InvalidDataException">A file is invalid, or the two do not belong together.</exception>
    public static ArrayDataset LoadImages(string imagesPath, string labelsPath)
    {
        NDArray images = Load(imagesPath);
        NDArray labels = Load(labelsPath);
        if (images.Rank != 3 || labels.Rank != 1 || images.Shape[0] != labels.Shape[0])
            throw new InvalidDataException(
                $"{imagesPath}, {labelsPath}: images {images.Shape} and labels {labels.Shape}; expected (n, height, width) and (n,).");
        return new ArrayDataset(Nd.ExpandDims(images.AsType(DType.Float32) / 255, 1), labels.AsType(DType.Int32));
    }

    private static NDArray Load(Stream stream, string what)
    {
        Span<byte> start = stackalloc byte[4];
        ArrayStream.ReadExactly(stream, start, what);
        if (start[0] != 0 || start[1] != 0 || start[3] == 0)
            throw new InvalidDataException($"{what}: not an IDX file: it starts with the bytes {Convert.ToHexString(start)}.");
        (DType dtype, int size) = start[2] switch
        {
            0x08 => (DType.UInt8, 1),
            0x09 => (DType.Int32, 1),
            0x0B => (DType.Int32, 2),
            0x0C => (DType.Int32, 4),
            0x0D => (DType.Float32, 4),
            0x0E => (DType.Float64, 8),
            _ => throw new InvalidDataException($"{what}: the IDX element type 0x{start[2]:X2} is unknown."),
        };
        if (start[3] > Shape.MaxRank) throw new InvalidDataException($"{what}: the array has {start[3]} axes; {Shape.MaxRank} are possible.");
        int[] sizes = new int[start[3]];
        Int128 bytes = size;
        for (int i = 0; i < sizes.Length; i++)
        {
            ArrayStream.ReadExactly(stream, start, what);
            sizes[i] = BinaryPrimitives.ReadInt32BigEndian(start);
            if (sizes[i] < 0) throw new InvalidDataException($"{what}: axis {i} has the size {(uint)sizes[i]}.");
            bytes = bytes > long.MaxValue ? bytes : bytes * sizes[i];
        }

        if (bytes != stream.Length - stream.Position)
            throw new InvalidDataException(
                $"{what}: {dtype} ({string.Join(", ", sizes)}) needs {bytes} bytes, {stream.Length - stream.Position} follow the header.");
        if (dtype.Size != size) return ReadShort(stream, size, sizes, what);
        NDArray x = ArrayStream.Read(stream, dtype, sizes, what);
        ArrayStream.ReverseBytes(x);
        return x;
    }

    private static NDArray ReadShort(Stream stream, int size, Shape shape, string what)
    {
        byte[] bytes = new byte[checked((int)(shape.Size * size))];
        ArrayStream.ReadExactly(stream, bytes, what);
        int[] values = new int[shape.Size];
        for (int i = 0; i < values.Length; i++) values[i] = size == 1 ? (sbyte)bytes[i] : BinaryPrimitives.ReadInt16BigEndian(bytes.AsSpan(2 * i));
        return Nd.Array(values, shape);
    }

    private static void Write(Stream stream, byte code, NDArray swapped)
    {
        Span<byte> word = stackalloc byte[4];
        (word[0], word[1], word[2], word[3]) = (0, 0, code, (byte)swapped.Rank);
        stream.Write(word);
        foreach (int size in swapped.Shape)
        {
            BinaryPrimitives.WriteInt32BigEndian(word, size);
            stream.Write(word);
        }

        ArrayStream.Write(stream, swapped);
    }
}
