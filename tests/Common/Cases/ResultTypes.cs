namespace Fusion.Tests;

/// <summary>The element types that operators take and give.</summary>
internal static class ResultTypes
{
    /// <summary>What carries gradients.</summary>
    public static DType[] Floats { get; } = [DType.Float32, DType.Float64];

    /// <summary>Numbers, not masks.</summary>
    public static DType[] Numbers { get; } = [DType.Float32, DType.Float64, DType.Int32, DType.Int64, DType.UInt8];

    /// <summary>Every element type.</summary>
    public static DType[] All { get; } = [.. Numbers, DType.Bool];

    /// <summary>The type of the inputs.</summary>
    public static DType Same(DType dtype) => dtype;

    /// <summary>Arithmetic: Bool counts as Int32.</summary>
    public static DType Number(DType dtype) => dtype == DType.Bool ? DType.Int32 : dtype;

    /// <summary>Functions of real numbers: integers and Bool become Float32.</summary>
    public static DType Real(DType dtype) => dtype.IsFloat ? dtype : DType.Float32;

    /// <summary>Sums: integers and Bool are added up in Int64.</summary>
    public static DType Sum(DType dtype) => dtype.IsFloat ? dtype : DType.Int64;

    /// <summary>Comparisons.</summary>
    public static DType Mask(DType dtype) => DType.Bool;

    /// <summary>Positions.</summary>
    public static DType Position(DType dtype) => DType.Int64;
}
