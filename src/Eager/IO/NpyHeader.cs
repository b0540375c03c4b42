using System.Globalization;
using System.Text.RegularExpressions;

namespace Fusion.IO;

/// <summary>The header of an .npy file: a Python dictionary of the element type, the order and the shape.</summary>
internal sealed partial record NpyHeader(string Type, bool BigEndian, bool ColumnMajor, Shape Shape)
{
    /// <summary>NumPy's word for an element type.</summary>
    public static string Describe(DType dtype) => dtype switch
    {
        DType.Float32 => "<f4",
        DType.Float64 => "<f8",
        DType.Int32 => "<i4",
        DType.Int64 => "<i8",
        DType.UInt8 => "|u1",
        DType.Float16 => "<f2",
        DType.BFloat16 => throw new DTypeException("Npy.Save: NumPy has no BFloat16. Save a Safetensors file, or convert with AsType(DType.Float32)."),
        _ => "|b1",
    };

    public static NpyHeader Parse(string text, string what)
    {
        Match type = TypePattern().Match(text), order = OrderPattern().Match(text), shape = ShapePattern().Match(text);
        if (!type.Success || !order.Success || !shape.Success)
            throw new InvalidDataException($"{what}: the header '{text.Trim()}' lacks a plain 'descr', 'fortran_order' or 'shape'.");
        string[] parts = shape.Groups[1].Value.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        int[] sizes = new int[parts.Length];
        for (int i = 0; i < sizes.Length; i++)
            if (!int.TryParse(parts[i].TrimEnd('L'), NumberStyles.None, CultureInfo.InvariantCulture, out sizes[i]))
                throw new InvalidDataException($"{what}: '{parts[i]}' is no size of an axis.");
        try
        {
            return new NpyHeader(type.Groups[2].Value, type.Groups[1].Value == ">", order.Groups[1].Value == "True", new Shape(sizes));
        }
        catch (ShapeException e)
        {
            throw new InvalidDataException($"{what}: {e.Message}", e);
        }
    }

    /// <summary>The elements that follow the header.</summary>
    public NDArray Read(Stream stream, string what)
    {
        DType stored = Type switch
        {
            "f4" => DType.Float32,
            "f8" => DType.Float64,
            "f2" => DType.Float16,
            "i4" => DType.Int32,
            "i8" => DType.Int64,
            "u1" => DType.UInt8,
            "b1" => DType.Bool,
            _ => throw new InvalidDataException($"{what}: elements of NumPy type '{Type}' have no counterpart. Convert them in NumPy with astype first."),
        };
        Int128 bytes = (Int128)Shape.Size * stored.Size;
        if (bytes > stream.Length - stream.Position)
            throw new InvalidDataException(
                $"{what}: {stored} {Shape} needs {bytes} bytes, {stream.Length - stream.Position} are left. The file is cut off or its header is wrong.");
        Shape order = ColumnMajor ? Reversed(Shape) : Shape;
        NDArray x = ArrayStream.Read(stream, stored, order, what);
        if (BigEndian) ArrayStream.ReverseBytes(x);
        return ColumnMajor && Shape.Rank > 1 ? Nd.Transpose(x).Copy() : x;
    }

    private static Shape Reversed(Shape shape)
    {
        int[] sizes = shape.ToArray();
        Array.Reverse(sizes);
        return sizes;
    }

    [GeneratedRegex("""['"]descr['"]\s*:\s*['"]([<>|=])(\w+)['"]""")]
    private static partial Regex TypePattern();

    [GeneratedRegex("""['"]fortran_order['"]\s*:\s*(True|False)""")]
    private static partial Regex OrderPattern();

    [GeneratedRegex("""['"]shape['"]\s*:\s*\(([^)]*)\)""")]
    private static partial Regex ShapePattern();
}
