using System.Text.Json;

namespace Fusion.IO;

/// <summary>The checked header of a safetensors file.</summary>
internal sealed record SafetensorsHeader(List<SafetensorsEntry> Entries, Dictionary<string, string> Texts)
{
    public const string Metadata = "__metadata__";

    /// <summary>The format's word for an element type.</summary>
    public static string Describe(DType dtype) => dtype switch
    {
        DType.Float32 => "F32",
        DType.Float64 => "F64",
        DType.Int32 => "I32",
        DType.Int64 => "I64",
        DType.UInt8 => "U8",
        DType.Float16 => "F16",
        DType.BFloat16 => "BF16",
        _ => "BOOL",
    };

    /// <summary>Everything the format demands: one entry per name, sizes that agree with shapes, elements without gaps or overlaps up to the end.</summary>
    /// <exception cref="InvalidDataException">The header breaks a rule.</exception>
    public static SafetensorsHeader Parse(byte[] text, long dataBytes, string path)
    {
        SafetensorsHeader header = new([], []);
        try
        {
            using JsonDocument json = JsonDocument.Parse(text);
            HashSet<string> names = [];
            foreach (JsonProperty property in json.RootElement.EnumerateObject())
            {
                if (!names.Add(property.Name)) throw Invalid(path, $"the name '{property.Name}' occurs twice");
                if (property.Name == Metadata)
                    foreach (JsonProperty item in property.Value.EnumerateObject()) header.Texts[item.Name] = item.Value.GetString() ?? string.Empty;
                else header.Entries.Add(SafetensorsEntry.Parse(property, path));
            }
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or FormatException or KeyNotFoundException or ShapeException)
        {
            throw new InvalidDataException($"{path}: the header of the safetensors file is malformed: {e.Message}", e);
        }

        long at = 0;
        foreach (SafetensorsEntry entry in header.Entries.OrderBy(e => e.Begin).ThenBy(e => e.End))
        {
            if (entry.Begin != at) throw Invalid(path, $"'{entry.Name}' starts at byte {entry.Begin}, not at {at} where the array before it ends");
            at = entry.End;
        }

        return at == dataBytes ? header : throw Invalid(path, $"the arrays end at byte {at} of {dataBytes}");
    }

    public static InvalidDataException Invalid(string path, string reason) => new($"{path}: {reason}. The file is cut off or not a valid safetensors file.");
}

/// <summary>One array of a safetensors file and where its elements lie behind the header.</summary>
internal sealed record SafetensorsEntry(string Name, string Type, Shape Shape, long Begin, long End)
{
    public static SafetensorsEntry Parse(JsonProperty property, string path)
    {
        JsonElement value = property.Value;
        int[] sizes = [.. value.GetProperty("shape").EnumerateArray().Select(static size => size.GetInt32())];
        if (sizes.Any(static size => size < 0)) throw SafetensorsHeader.Invalid(path, $"'{property.Name}' has a negative size");
        JsonElement offsets = value.GetProperty("data_offsets");
        if (offsets.GetArrayLength() != 2) throw SafetensorsHeader.Invalid(path, $"'{property.Name}' needs two offsets");
        string type = value.GetProperty("dtype").GetString() ?? string.Empty;
        int size = type switch
        {
            "F64" or "I64" => 8,
            "F32" or "I32" => 4,
            "F16" or "BF16" => 2,
            "U8" or "BOOL" => 1,
            _ => throw new InvalidDataException($"{path}: '{property.Name}' has elements of type {type}, which has no counterpart."),
        };
        (long begin, long end) = (offsets[0].GetInt64(), offsets[1].GetInt64());
        Int128 bytes = size;
        foreach (int s in sizes) bytes = bytes > long.MaxValue ? bytes : bytes * s;
        if (begin < 0 || end < begin || bytes != end - begin) throw SafetensorsHeader.Invalid(
                path, $"'{property.Name}' has {end - begin} bytes, its shape ({string.Join(", ", sizes)}) and type {type} need {bytes}");
        return new SafetensorsEntry(property.Name, type, new Shape(sizes), begin, end);
    }

    public NDArray Read(Stream stream, string path) => Type switch
    {
        "F64" => ArrayStream.Read(stream, DType.Float64, Shape, path),
        "F32" => ArrayStream.Read(stream, DType.Float32, Shape, path),
        "I64" => ArrayStream.Read(stream, DType.Int64, Shape, path),
        "I32" => ArrayStream.Read(stream, DType.Int32, Shape, path),
        "U8" => ArrayStream.Read(stream, DType.UInt8, Shape, path),
        "F16" => ArrayStream.Read(stream, DType.Float16, Shape, path),
        "BF16" => ArrayStream.Read(stream, DType.BFloat16, Shape, path),
        _ => ArrayStream.Read(stream, DType.Bool, Shape, path),
    };
}
