namespace Fusion.Tests;

/// <summary>Eager results against references in double precision, in every element type, shape and layout.</summary>
public class ValueTests
{
    public static TheoryData<string> Cases => OperatorTableTests.Cases;

    [Theory]
    [MemberData(nameof(Cases))]
    public void ResultsAreThoseOfTheReference(string title)
    {
        OpCase test = OpCases.Find(title);
        foreach (DType dtype in test.DTypes)
        {
            foreach ((string label, NDArray[] inputs) in CaseInputs.Sets(test, dtype))
                Check(test, label, inputs, dtype, label.EndsWith("large", StringComparison.Ordinal) ? 64 : 1);
        }
    }

    private static void Check(OpCase test, string label, NDArray[] inputs, DType dtype, double slack)
    {
        RefArray[] references = Array.ConvertAll(inputs, RefArray.Of);
        NDArray result = test.Call(inputs);
        Assert.True(result.DType == test.Result(dtype), $"{test}, {label}: the result is {result.DType}, expected {test.Result(dtype)}.");
        string? difference = test.Reference is null ? null : Comparison.Difference(test, result, test.Reference(references), slack);
        Assert.True(difference is null, $"{test}, {label}: {difference}");
        string? violation = test.Property?.Invoke(result);
        Assert.True(violation is null, $"{test}, {label}: {violation}");
    }
}
