using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Fusion.HandWritten;

/// <summary>Functions of 512-bit registers as one would write them by hand, after Cephes (S. L. Moshier, netlib.org/cephes, single precision).</summary>
internal static class Registers
{
    /// <summary>An odd polynomial below 0.625, 1 − 2/(e^2x + 1) above (tanhf).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Tanh(Vector512<float> x)
    {
        Vector512<float> magnitude = Vector512.Abs(x), z = x * x;
        Vector512<float> p = Vector512.FusedMultiplyAdd(Vector512.Create(-5.70498872745e-3f), z, Vector512.Create(2.06390887954e-2f));
        p = Vector512.FusedMultiplyAdd(p, z, Vector512.Create(-5.37397155531e-2f));
        p = Vector512.FusedMultiplyAdd(p, z, Vector512.Create(1.33314422036e-1f));
        p = Vector512.FusedMultiplyAdd(p, z, Vector512.Create(-3.33332819422e-1f));
        Vector512<float> inner = Vector512.FusedMultiplyAdd(p * z, x, x);
        Vector512<float> outer = Vector512.Create(1f) - Vector512.Create(2f) / (Exp(magnitude + magnitude) + Vector512.Create(1f));
        outer |= x & Vector512.Create(-0f);
        return Vector512.ConditionalSelect(Vector512.LessThan(magnitude, Vector512.Create(0.625f)), inner, outer);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Sigmoid(Vector512<float> x) => Vector512.Create(1f) / (Vector512.Create(1f) + Exp(-x));

    /// <summary>Cody and Waite's reduction to [−ln 2/2, ln 2/2], a polynomial of degree 7 (expf).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Exp(Vector512<float> x)
    {
        x = Vector512.MinNative(Vector512.Create(88f), Vector512.MaxNative(Vector512.Create(-87f), x));
        Vector512<float> n = Vector512.Round(x * Vector512.Create(1.44269504f));
        Vector512<float> r = Vector512.FusedMultiplyAdd(n, Vector512.Create(-1.42860677e-6f), Vector512.FusedMultiplyAdd(n, Vector512.Create(-0.693145752f), x));
        Vector512<float> p = Vector512.FusedMultiplyAdd(Vector512.Create(1.9875691500e-4f), r, Vector512.Create(1.3981999507e-3f));
        p = Vector512.FusedMultiplyAdd(p, r, Vector512.Create(8.3334519073e-3f));
        p = Vector512.FusedMultiplyAdd(p, r, Vector512.Create(4.1665795894e-2f));
        p = Vector512.FusedMultiplyAdd(p, r, Vector512.Create(1.6666665459e-1f));
        p = Vector512.FusedMultiplyAdd(p, r, Vector512.Create(5.0000001201e-1f));
        Vector512<float> significand = Vector512.Create(1f) + Vector512.FusedMultiplyAdd(r * r, p, r);
        return (significand.AsInt32() + (Vector512.ConvertToInt32Native(n) << 23)).AsSingle();
    }
}
