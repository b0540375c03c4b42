using System.Numerics.Tensors;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using BenchmarkDotNet.Attributes;

namespace Fusion.Benchmarks;

/// <summary>tanh-GELU, eleven operators: hand-written registers, one compiled kernel, eager operators, TensorPrimitives.</summary>
[MemoryDiagnoser]
public class ElementwiseChain
{
    private const float A = 0.7978845608028654f, B = 0.044715f;

    private Func<NDArray, NDArray> _eager = null!;
    private Func<NDArray, NDArray> _fused = null!;
    private NDArray _x = null!;
    private float[] _values = [], _result = [], _scratch = [];

    [Params(2048, 100_000, 1_000_000)]
    public int Size { get; set; }

    [GlobalSetup]
    public void Prepare()
    {
        FusionRuntime.NumThreads = 1;
        Nd.Random.Seed(1);
        _x = Nd.Random.Normal(0, 1, Size);
        _values = _x.ToArray<float>();
        (_result, _scratch) = (new float[Size], new float[Size]);
        _eager = static x => 0.5 * x * (1 + Nd.Tanh(A * (x + B * x * x * x)));
        _fused = _eager.Hybridize().Invoke;
    }

    /// <summary>What one would write by hand: exp by the library's polynomial, registers throughout.</summary>
    [Benchmark(Baseline = true)]
    public float[] HandWritten()
    {
        HandWrittenGelu(_values, _result);
        return _result;
    }

    [Benchmark]
    public NDArray Hybridized() => _fused(_x);

    [Benchmark]
    public NDArray Eager() => _eager(_x);

    [Benchmark]
    public float[] WithTensorPrimitives()
    {
        TensorPrimitives.Multiply(_values, _values, _scratch);
        TensorPrimitives.Multiply(_scratch, _values, _scratch);
        TensorPrimitives.Multiply(_scratch, B, _scratch);
        TensorPrimitives.Add(_scratch, _values, _scratch);
        TensorPrimitives.Multiply(_scratch, A, _scratch);
        TensorPrimitives.Tanh(_scratch, _scratch);
        TensorPrimitives.Add(_scratch, 1f, _scratch);
        TensorPrimitives.Multiply(_scratch, _values, _scratch);
        TensorPrimitives.Multiply(_scratch, 0.5f, _result);
        return _result;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void HandWrittenGelu(float[] source, float[] target)
    {
        ref float from = ref MemoryMarshal.GetArrayDataReference(source);
        ref float to = ref MemoryMarshal.GetArrayDataReference(target);
        nuint i = 0;
        for (; i + 16 <= (nuint)source.Length; i += 16)
        {
            Vector512<float> x = Vector512.LoadUnsafe(ref from, i);
            Vector512<float> u = Vector512.Create(A) * (x + Vector512.Create(B) * x * x * x);
            (Vector512.Create(0.5f) * x * (Vector512.Create(1f) + Tanh(u))).StoreUnsafe(ref to, i);
        }

        for (; i < (nuint)source.Length; i++)
        {
            float x = source[i];
            target[i] = 0.5f * x * (1 + MathF.Tanh(A * (x + B * x * x * x)));
        }
    }

    // Cephes tanhf: an odd polynomial below 0.625, 1 − 2/(e^2x + 1) above.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> Tanh(Vector512<float> x)
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

    // Cephes expf, Cody–Waite.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> Exp(Vector512<float> x)
    {
        x = Vector512.MinNative(Vector512.Create(104f), Vector512.MaxNative(Vector512.Create(-120f), x));
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
