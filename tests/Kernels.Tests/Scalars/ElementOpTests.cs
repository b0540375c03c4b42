using System.Numerics;
using System.Runtime.InteropServices;
using Fusion.Kernels;

namespace Fusion.Tests.Scalars;

/// <summary>Every element operator's eager loops against a scalar reference, at every width this machine has, with every combination of scalars.</summary>
public class ElementOpTests
{
    private static readonly int[] s_widths = [.. new[] { 128, 256, 512 }.Where(w => w <= SimdWidth.Hardware)];

    private static readonly double[] s_special =
    [
        2.5, 0.0, -0.0, 1, -1, 0.5, -0.5, 1.5, -2.5, 3, -3, 7, 1e-3, 1e30, -1e30, 16777216, 8388607.5, 4503599627370495.5,
        double.NaN, double.PositiveInfinity, double.NegativeInfinity, float.Epsilon, -float.Epsilon, float.MaxValue, float.MinValue, 1.17549435e-38, 5e-324,
        double.MaxValue, 1e-310, 65519.99, 65520, 3.3961e38, 1.0009765625, 1.00048828125, 1.003, 6.0975e-5, 2.98e-8, 2.9802322387695312e-8, 4.6e-41,
    ];

    public static TheoryData<string> Numbers => [.. ElementOps.All.Where(op => !op.IsMask && IsExact(op)).Select(op => op.Name)];

    public static TheoryData<string> Truths => [.. ElementOps.All.Where(op => op.IsMask).Select(op => op.Name)];

    public static TheoryData<string> Integers => [.. ElementOps.All.Where(op => op.SupportsInteger && !op.IsMask).Select(op => op.Name)];

    [Theory]
    [MemberData(nameof(Numbers))]
    public void NumbersAreThoseOfTheReference(string name)
    {
        CheckNumbers<float>(name, DType.Float32);
        CheckNumbers<double>(name, DType.Float64);
    }

    [Theory]
    [MemberData(nameof(Truths))]
    public void MasksAreThoseOfTheReference(string name)
    {
        CheckTruths(name, DType.Float32, Inputs<float>());
        CheckTruths(name, DType.Float64, Inputs<double>());
        ElementOp op = Find(name);
        if (!op.SupportsInteger) return;
        CheckTruths(name, DType.Int32, IntegerInputs<int>());
        CheckTruths(name, DType.Int64, IntegerInputs<long>());
        CheckTruths(name, DType.UInt8, IntegerInputs<byte>());
    }

    [Theory]
    [MemberData(nameof(Integers))]
    public void IntegersAreThoseOfTheReference(string name)
    {
        CheckIntegers<int>(name, DType.Int32);
        CheckIntegers<long>(name, DType.Int64);
        CheckIntegers<byte>(name, DType.UInt8);
    }

    [Fact]
    public void EveryLengthGivesTheSameBitsAtEveryWidth()
    {
        float[][] inputs = Inputs<float>();
        foreach (ElementOp op in ElementOps.All)
        {
            float[][] used = inputs[..op.Arity];
            byte[] longest = Operands.Eager(op, DType.Float32, s_widths[0], 130, 0, used);
            int size = longest.Length / 130;
            foreach (int width in s_widths)
            {
                for (int length = 1; length <= 130; length++)
                    Assert.Equal(longest[..(length * size)], Operands.Eager(op, DType.Float32, width, length, 0, used));
            }
        }
    }

    [Fact]
    public void OperandsOfWhatCommutesMayChangePlaces()
    {
        ElementOp[] commuting = [.. ElementOps.All.Where(static op => op.Commutes)];
        Assert.NotEmpty(commuting);
        Assert.DoesNotContain(ElementOps.Maximum, commuting); // +0 and −0 tie
        int length = s_special.Length * s_special.Length;
        float[] x = [.. s_special.SelectMany(static a => s_special.Select(_ => (float)a))], y = [.. s_special.SelectMany(static _ => s_special.Select(static b => (float)b))];
        foreach (ElementOp op in commuting)
        {
            Assert.Equal(2, op.Arity);
            foreach (int width in s_widths)
                Assert.Equal(Operands.Eager(op, DType.Float32, width, length, 0, x, y), Operands.Eager(op, DType.Float32, width, length, 0, y, x));
        }
    }

    [Fact]
    public void AnIntegerLoopThatDoesNotExistIsNamed()
    {
        DTypeException e = Assert.Throws<DTypeException>(() => ElementOps.Sqrt.Loop(DType.Int32, 0));
        Assert.Contains("Sqrt", e.Message);
    }

    [Fact]
    public void NamesAreUnique() => Assert.Equal(ElementOps.All.Count, ElementOps.All.DistinctBy(op => op.Name).Count());

    internal static ElementOp Find(string name) => ElementOps.All.Single(op => op.Name == name);

    /// <summary>Three arrays whose elements run through all pairs of special values.</summary>
    internal static T[][] Inputs<T>() where T : IFloatingPointIeee754<T>
    {
        int n = s_special.Length;
        T[] special = [.. s_special.Select(T.CreateTruncating)];
        T[] x = new T[n * n], y = new T[n * n], z = new T[n * n];
        for (int i = 0; i < x.Length; i++) (x[i], y[i], z[i]) = (special[i % n], special[i / n], special[(i * 7) % n]);
        return [x, y, z];
    }

    private static T[][] IntegerInputs<T>() where T : IBinaryInteger<T>, IMinMaxValue<T>
    {
        T[] special = [T.CreateTruncating(2), T.Zero, T.One, T.CreateTruncating(-1), T.CreateTruncating(7), T.CreateTruncating(-7), T.MaxValue, T.MinValue, T.CreateTruncating(100)];
        int n = special.Length;
        T[] x = new T[n * n], y = new T[n * n], z = new T[n * n];
        for (int i = 0; i < x.Length; i++) (x[i], y[i], z[i]) = (special[i % n], special[i / n], special[(i * 2) % n]);
        return [x, y, z];
    }

    // Operators made of formulas have tests of their accuracy of their own.
    private static bool IsExact(ElementOp op) => ElementOps.All.ToList().IndexOf(op) <= ElementOps.All.ToList().IndexOf(ElementOps.ValueToMask);

    private static void CheckNumbers<T>(string name, DType type) where T : unmanaged, IFloatingPointIeee754<T>
    {
        ElementOp op = Find(name);
        T[][] inputs = Inputs<T>();
        ForAll(op, type, inputs, (actual, i, v) =>
        {
            // NaN limits are outside the contract of Clip.
            if (name == "Clip" && (T.IsNaN(v[1]) || T.IsNaN(v[2]))) return;
            T expected = ScalarReference.Number(name, op.IsMaskInput(0) ? T.CreateChecked(IsTrue(v[0]) ? 1 : 0) : v[0], v[1], v[2]);
            T value = MemoryMarshal.Cast<byte, T>(actual)[i];
            bool same = T.IsNaN(expected) ? T.IsNaN(value) : value == expected && T.IsNegative(value) == T.IsNegative(expected);
            if (!same) Assert.Fail($"{name}({v[0]}, {v[1]}, {v[2]}) = {value}, expected {expected}");
        });
    }

    private static void CheckTruths<T>(string name, DType type, T[][] inputs) where T : unmanaged, INumber<T>
    {
        ElementOp op = Find(name);
        ForAll(op, type, inputs, (actual, i, v) =>
        {
            if (op.IsMaskInput(0)) v = [.. v.Select(e => IsTrue(e) ? T.One : T.Zero)];
            bool expected = ScalarReference.Truth(name, v[0], v[1]);
            if (actual[i] != (expected ? 1 : 0)) Assert.Fail($"{name}({v[0]}, {v[1]}) = {actual[i]}, expected {expected}");
        });
    }

    private static void CheckIntegers<T>(string name, DType type) where T : unmanaged, IBinaryInteger<T>, IMinMaxValue<T>
    {
        ElementOp op = Find(name);
        T[][] inputs = IntegerInputs<T>();
        ForAll(op, type, inputs, (actual, i, v) =>
        {
            T expected = ScalarReference.Integer(name, op.IsMaskInput(0) ? (IsTrue(v[0]) ? T.One : T.Zero) : v[0], v[1], v[2]);
            T value = MemoryMarshal.Cast<byte, T>(actual)[i];
            if (value != expected) Assert.Fail($"{name}({v[0]}, {v[1]}, {v[2]}) = {value}, expected {expected} ({type})");
        });
    }

    // How Operands turns test numbers into Bool bytes.
    private static bool IsTrue<T>(T value) where T : INumber<T> => T.IsNaN(value) || value > T.One || value < T.Zero;

    private static void ForAll<T>(ElementOp op, DType type, T[][] inputs, Action<byte[], int, T[]> check) where T : unmanaged, INumber<T>
    {
        int length = inputs[0].Length;
        foreach (int width in s_widths)
        {
            for (int scalars = 0; scalars < 1 << op.Arity; scalars++)
            {
                byte[] actual = Operands.Eager(op, type, width, length, scalars, inputs[..op.Arity]);
                for (int i = 0; i < length; i++)
                    check(actual, i, [.. inputs.Select((a, k) => ((scalars >> k) & 1) != 0 ? a[0] : a[i])]);
            }
        }
    }
}
