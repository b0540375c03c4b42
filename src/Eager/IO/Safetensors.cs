using System.Buffers.Binary;
using System.Text;
using System.Text.Json;

namespace Fusion.IO;

/// <summary>Named arrays in the format of Hugging Face's safetensors: a JSON header, then the elements; nothing in it is executed.</summary>
/// <remarks>The format: https://github.com/huggingface/safetensors, "Format".</remarks>
public static class Safetensors
{
    // The limit of the reference implementation.
    private const long MaxHeaderBytes = 100_000_000;

    /// <summary>Writes arrays to a file, replacing it.</summary>
    /// <param name="path">The file.</param>
    /// <param name="arrays">The arrays by name.</param>
    /// <param name="metadata">Text kept in the header.</param>
    /// <exception cref="ArgumentException">An array is null, or named <c>__metadata__</c>, a name that the format reserves.</exception>
    public static void Save(string path, IReadOnlyDictionary<string, NDArray> arrays, IReadOnlyDictionary<string, string>? metadata = null)
    {
        Npy.CheckReadable(arrays, nameof(Safetensors));
        if (arrays.ContainsKey(SafetensorsHeader.Metadata))
            throw new ArgumentException($"Safetensors.Save: the name '{SafetensorsHeader.Metadata}' is reserved by the format.", nameof(arrays));
        // Large elements first, so that every array is aligned to its elements.
        List<KeyValuePair<string, NDArray>> ordered = [.. arrays.OrderByDescending(a => a.Value.DType.Size).ThenBy(a => a.Key, StringComparer.Ordinal)];
        byte[] header = Header(ordered, metadata);
        ArrayStream.Replace(path, stream =>
        {
            Span<byte> length = stackalloc byte[8];
            BinaryPrimitives.WriteInt64LittleEndian(length, header.Length);
            stream.Write(length);
            stream.Write(header);
            foreach ((_, NDArray array) in ordered) ArrayStream.Write(stream, array);
        });
    }

    /// <summary>Reads all arrays of a file, in the types that they have there.</summary>
    /// <exception cref="InvalidDataException">The file is not a valid safetensors file, or has an element type without counterpart.</exception>
    public static Dictionary<string, NDArray> Load(string path)
    {
        using FileStream stream = File.OpenRead(path);
        (SafetensorsHeader header, long start) = ReadHeader(stream, path);
        Dictionary<string, NDArray> arrays = [];
        foreach (SafetensorsEntry entry in header.Entries)
        {
            stream.Position = start + entry.Begin;
            arrays.Add(entry.Name, entry.Read(stream, path));
        }

        return arrays;
    }

    /// <summary>Reads the text that was kept in the header.</summary>
    /// <exception cref="InvalidDataException">The file is not a valid safetensors file.</exception>
    public static Dictionary<string, string> LoadMetadata(string path)
    {
        using FileStream stream = File.OpenRead(path);
        return ReadHeader(stream, path).Header.Texts;
    }

    private static (SafetensorsHeader Header, long Start) ReadHeader(FileStream stream, string path)
    {
        Span<byte> length = stackalloc byte[8];
        ArrayStream.ReadExactly(stream, length, path);
        long bytes = BinaryPrimitives.ReadInt64LittleEndian(length);
        if (bytes is < 2 or > MaxHeaderBytes || bytes > stream.Length - 8)
            throw new InvalidDataException($"{path}: not a safetensors file: its header would have {bytes} bytes, the file has {stream.Length}.");
        byte[] text = new byte[bytes];
        ArrayStream.ReadExactly(stream, text, path);
        return (SafetensorsHeader.Parse(text, stream.Length - 8 - bytes, path), 8 + bytes);
    }

    private static byte[] Header(List<KeyValuePair<string, NDArray>> arrays, IReadOnlyDictionary<string, string>? metadata)
    {
        using MemoryStream buffer = new();
        using (Utf8JsonWriter json = new(buffer))
        {
            json.WriteStartObject();
            if (metadata is not null)
            {
                json.WriteStartObject(SafetensorsHeader.Metadata);
                foreach ((string key, string value) in metadata) json.WriteString(key, value);
                json.WriteEndObject();
            }

            long at = 0;
            foreach ((string name, NDArray array) in arrays)
            {
                json.WriteStartObject(name);
                json.WriteString("dtype", SafetensorsHeader.Describe(array.DType));
                json.WriteStartArray("shape");
                foreach (int size in array.Shape) json.WriteNumberValue(size);
                json.WriteEndArray();
                json.WriteStartArray("data_offsets");
                json.WriteNumberValue(at);
                json.WriteNumberValue(at += array.Size * array.DType.Size);
                json.WriteEndArray();
                json.WriteEndObject();
            }

            json.WriteEndObject();
        }

        return Encoding.UTF8.GetBytes(Encoding.UTF8.GetString(buffer.ToArray()).PadRight((int)(buffer.Length + 7) / 8 * 8));
    }
}
