namespace Fusion.Tests;

/// <summary>
/// Element-wise operators on numbers that a function writes in code, alone and beside an array: the numbers, and what is compared with them, become part of
/// kernels, where the runtime folds constants, too.
/// </summary>
public class NumberOperandTests
{
    private static readonly double[] s_numbers = [0, 1, -1, 2, 0.5];

    public static TheoryData<string> Cases => [.. OpCases.All.Where(static c => c.IsElementwise && c.InputCount > 1).Select(static c => c.Title)];

    [Theory]
    [MemberData(nameof(Cases))]
    public void ANumberInCodeHasTheBitsOfEagerExecution(string title)
    {
        OpCase test = OpCases.Find(title);
        DType dtype = test.DTypes[0];
        for (int seed = 0; seed < 4; seed++)
        {
            // Numbers beside numbers, of either sign, and at last beside an array.
            Shape shape = seed < 3 ? [] : [3];
            NDArray[] inputs = CaseInputs.Draw(test, [.. Enumerable.Repeat(shape, test.InputCount)], dtype, seed);
            for (int free = 0; free < test.InputCount; free++)
            {
                foreach (double number in s_numbers)
                {
                    NDArray[] Function(NDArray[] x) => [test.Call([.. inputs.Select((y, i) => i == free ? x[0] : Nd.Scalar(number, y.DType))])];
                    NDArray[] expected = WithGradient(Function, inputs[free]);
                    string? outside = Bits.Difference(expected, WithGradient(TracedGraphs.Compile(Function), inputs[free]));
                    string? inside = Bits.Difference(expected, TracedGraphs.Compile(x => WithGradient(Function, x[0]))([inputs[free]]));
                    Assert.True((outside ?? inside) is null, $"{title}, {number} beside input {free} of shape {shape}: {outside ?? inside}");
                }
            }
        }
    }

    private static NDArray[] WithGradient(ArrayFunction f, NDArray x)
    {
        if (!x.DType.IsFloat) return f([x]);
        NDArray variable = x.Detach();
        variable.Mark(variable, GradReq.Write);
        using RecordScope scope = Autograd.Record(trainMode: false);
        NDArray result = f([variable])[0];
        return result.Source is null || !result.DType.IsFloat ? [result] : [result, Autograd.Grad(result, variable)];
    }
}
