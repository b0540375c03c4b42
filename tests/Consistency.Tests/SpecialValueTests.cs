namespace Fusion.Tests;

/// <summary>Element-wise operators at NaN, infinities, −0, denormal and extreme numbers: the reference's values, and the same bits in every mode.</summary>
[Collection(nameof(ProcessState))]
public class SpecialValueTests
{
    public static TheoryData<string> Elementwise => [.. OpCases.All.Where(static c => c.IsElementwise).Select(static c => c.Title)];

    public static TheoryData<string> WithSpecial => [.. OpCases.All.Where(static c => c.Special.Length > 0).Select(static c => c.Title)];

    [Theory]
    [MemberData(nameof(WithSpecial))]
    public void SpecialValuesAreThoseOfTheTable(string title)
    {
        OpCase test = OpCases.Find(title);
        foreach (DType dtype in ResultTypes.Floats)
        {
            double[][] columns = [.. Enumerable.Range(0, test.InputCount + 1).Select(k => test.Special.Select(row => row[k]).ToArray())];
            Check(test, dtype, columns[..^1], columns[^1]);
        }
    }

    [Theory]
    [MemberData(nameof(Elementwise))]
    public void SpecialValuesAreThoseOfTheReference(string title)
    {
        OpCase test = OpCases.Find(title);
        if (!test.ReferenceIsTotal) return;
        foreach (DType dtype in ResultTypes.Floats)
        {
            double[][] values = SpecialValues.Of(test, dtype);
            RefArray[] inputs = [.. SpecialValues.Arrays(test, dtype, values).Select(RefArray.Of)];
            Check(test, dtype, values, test.Reference!(inputs).Values);
        }
    }

    [Theory]
    [MemberData(nameof(Elementwise))]
    public void SpecialValuesHaveTheSameBitsInEveryMode(string title)
    {
        OpCase test = OpCases.Find(title);
        ArrayFunction eager = x => [test.Call(x)];
        foreach (DType dtype in ResultTypes.Floats)
        {
            NDArray[] inputs = SpecialValues.Arrays(test, dtype, SpecialValues.Of(test, dtype));
            NDArray[] expected = ExecutionMode.Eager.Run(() => eager(inputs));
            foreach (ExecutionMode mode in ExecutionMode.All)
            {
                ArrayFunction function = mode.Prepare(eager);
                string? difference = Bits.Difference(expected, mode.Run(() => function(inputs)));
                Assert.True(difference is null, $"{test}, {mode}, {dtype}: {difference}");
            }
        }
    }

    private static void Check(OpCase test, DType dtype, double[][] values, double[] expected)
    {
        NDArray result = test.Call(SpecialValues.Arrays(test, dtype, values));
        double[] actual = RefArray.Of(result).Values;
        for (int i = 0; i < actual.Length; i++)
        {
            bool same = Comparison.Agrees(test, result.DType, actual[i], expected[i]);
            if (actual[i] == 0 && result.DType.IsFloat) same &= double.IsNegative(actual[i]) == double.IsNegative(expected[i]);
            if (!same) Assert.Fail($"{test}, {dtype} at ({string.Join(", ", values.Select(v => v[i]))}): {actual[i]:R}, expected {Comparison.Round(expected[i], result.DType):R}");
        }
    }
}
