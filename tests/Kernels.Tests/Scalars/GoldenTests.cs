using System.Globalization;
using System.IO.Compression;
using Fusion.Kernels;

namespace Fusion.Tests.Scalars;

/// <summary>The formulas in double against values computed with 60 digits by mpmath (tools/golden_functions.py), and in float against the same.</summary>
public class GoldenTests
{
    private static readonly Lazy<ILookup<string, double[]>> s_golden = new(Load);

    public static TheoryData<string> Names => [.. FormulaAccuracy.Unary.Concat(FormulaAccuracy.Binary).Select(f => f.Name)];

    [Theory]
    [MemberData(nameof(Names))]
    public void DoubleResultsAreWithinTheirBoundOfTheExactOnes(string name)
    {
        FormulaAccuracy bound = Bound(name);
        double[][] rows = [.. s_golden.Value[name]];
        Assert.NotEmpty(rows);
        double[][] inputs = [.. Enumerable.Range(0, rows[0].Length - 1).Select(k => rows.Select(r => r[k]).ToArray())];
        double[] actual = Evaluate(name, DType.Float64, inputs);
        double worst = 0;
        string where = string.Empty;
        for (int i = 0; i < rows.Length; i++)
        {
            double expected = rows[i][^1], error = Ulp.Of(actual[i], expected);
            if (Math.Abs(actual[i] - expected) <= Math.ScaleB(bound.Absolute, -52)) error = 0;
            if (error <= worst) continue;
            worst = error;
            where = $"{name}({string.Join(", ", rows[i][..^1].Select(v => v.ToString("R", CultureInfo.InvariantCulture)))}) = {actual[i]:R}, exactly {expected:R}";
        }

        Assert.True(worst <= bound.Double, $"{worst:F2} ULP: {where}");
    }

    [Fact]
    public void EveryFormulaHasABoundAndGoldenValues()
    {
        List<ElementOp> all = [.. ElementOps.All];
        int first = all.IndexOf(ElementOps.Exp);
        // Elu is Selu's formula with another constant; the test of special values has it.
        string[] formulas = [.. all.Skip(first).Select(op => op.Name).Except(["Elu"]), "ReciprocalSqrt"];
        Assert.Equal(formulas.Order(), FormulaAccuracy.Unary.Concat(FormulaAccuracy.Binary).Select(f => f.Name).Order());
        Assert.All(formulas, f => Assert.True(s_golden.Value[f].Count() > 50, f));
    }

    internal static FormulaAccuracy Bound(string name) => FormulaAccuracy.Unary.Concat(FormulaAccuracy.Binary).Single(f => f.Name == name);

    internal static T[] Evaluate<T>(string name, DType type, params T[][] inputs) where T : unmanaged, System.Numerics.INumber<T>
    {
        byte[] bytes = Operands.EagerBits(ElementOpTests.Find(name), type, SimdWidth.Hardware, inputs[0].Length, 0, inputs);
        return System.Runtime.InteropServices.MemoryMarshal.Cast<byte, T>(bytes).ToArray();
    }

    private static ILookup<string, double[]> Load()
    {
        using Stream stream = typeof(GoldenTests).Assembly.GetManifestResourceStream("functions.csv.gz")!;
        using StreamReader reader = new(new GZipStream(stream, CompressionMode.Decompress));
        List<(string Name, double[] Values)> rows = [];
        while (reader.ReadLine() is { } line)
        {
            string[] parts = line.Split(';');
            rows.Add((parts[0], [.. parts[1..].Select(p => BitConverter.UInt64BitsToDouble(ulong.Parse(p, NumberStyles.HexNumber, CultureInfo.InvariantCulture)))]));
        }

        return rows.ToLookup(r => r.Name, r => r.Values);
    }
}
