using Fusion.Peers.Table;
using static TorchSharp.torch;

namespace Fusion.Oracle.Programs;

/// <summary>Element types and constants of LibTorch's side, which computes in Float64 whatever the type is in ours.</summary>
internal static class Their
{
    /// <summary>The type there for a type here.</summary>
    public static ScalarType Type(DType dtype) => dtype switch
    {
        DType.Int32 => ScalarType.Int32,
        DType.Int64 => ScalarType.Int64,
        DType.UInt8 => ScalarType.Byte,
        DType.Bool => ScalarType.Bool,
        DType.Float32 when IsNative => ScalarType.Float32,
        DType.Float16 when IsNative => ScalarType.Float16,
        DType.BFloat16 when IsNative => ScalarType.BFloat16,
        _ => ScalarType.Float64,
    };

    /// <summary>How large the random errors of the present step are; 0 for none.</summary>
    public static double Amplitude { get; set; }

    /// <summary>
    /// The hyperbolic tangent, whose derivative 1 − y² has an error relative to 1 wherever y was rounded. Its errors are added to the value and to both derivatives.
    /// </summary>
    public static Tensor Tanh(Tensor x)
    {
        Tensor y = x.tanh();
        if (Amplitude == 0 || !x.is_floating_point()) return y;
        Tensor zero = x - x.detach();
        return Rounded(y) + (Noise(x) * zero) + (Noise(x) * zero * zero);
    }

    /// <summary>An array with an error in every element.</summary>
    public static Tensor Rounded(Tensor x) => Amplitude == 0 || !x.is_floating_point() || x.numel() == 0 ? x : x * (1 + Noise(x));

    /// <summary>1 or −1: all errors have that sign; 0: they are random.</summary>
    public static int Sign { get; set; }

    /// <summary>Numbers up to the amplitude in the shape of an array.</summary>
    public static Tensor Noise(Tensor x) => Sign != 0 ? full(x.shape, Sign * Amplitude, ScalarType.Float64) : Amplitude * ((2 * rand(x.shape, ScalarType.Float64)) - 1);

    /// <summary>Whether LibTorch has the types of ours, to compare these.</summary>
    public static bool IsNative { get; set; }

    public static Tensor Of(NDArray x, bool gradient = false)
    {
        Tensor tensor = TorchArrays.Of(x.DType.IsFloat ? x.AsType(DType.Float64) : x, gradient);
        return IsNative ? tensor.to_type(Type(x.DType)) : tensor;
    }

    public static long[] Longs(this int[] values) => [.. values.Select(static v => (long)v)];

    public static long[] Longs(this Shape shape) => shape.Dimensions.ToArray().Longs();
}
