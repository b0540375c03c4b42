namespace Fusion.Tests;

/// <summary>Every case gives the bits of eager execution in every other mode, NaN included; and so do its gradients of first and second order.</summary>
[Collection(nameof(ProcessState))]
public class ModeTests
{
    public static TheoryData<string> Cases => OperatorTableTests.Cases;

    public static TheoryData<string> Differentiable => GradientTests.Differentiable;

    [Theory]
    [MemberData(nameof(Cases))]
    public void ResultsHaveTheBitsOfEagerExecution(string title)
    {
        OpCase test = OpCases.Find(title);
        ArrayFunction eager = x => [test.Call(x)];
        ArrayFunction[] functions = [.. ExecutionMode.All.Select(mode => mode.Prepare(eager))];
        Compare(test, test.DTypes, (_, inputs) => eager(inputs), (_, inputs, mode) => functions[mode](inputs));
    }

    [Theory]
    [MemberData(nameof(Differentiable))]
    public void GradientsHaveTheBitsOfEagerExecution(string title)
    {
        OpCase test = OpCases.Find(title);
        ArrayFunction eager = x => [test.Call(x)];
        ArrayFunction[] functions = [.. ExecutionMode.All.Select(mode => mode.Prepare(eager))];
        Compare(test, ResultTypes.Floats, (dtype, inputs) => new CaseGradient(test, inputs, dtype).Of(eager, test.Order), (dtype, inputs, i) =>
        {
            CaseGradient gradient = new(test, inputs, dtype);
            ExecutionMode mode = ExecutionMode.All[i];
            return mode.TracesGradients
                ? mode.Prepare(variables => gradient.At(variables, eager, test.Order))(gradient.Variables)
                : gradient.Of(functions[i], test.Order);
        });
    }

    private static void Compare(OpCase test, DType[] dtypes, Func<DType, NDArray[], NDArray[]> eager, Func<DType, NDArray[], int, NDArray[]> other)
    {
        foreach (DType dtype in dtypes)
        {
            foreach ((string label, NDArray[] inputs) in CaseInputs.Sets(test, dtype))
            {
                NDArray[] expected = ExecutionMode.Eager.Run(() => eager(dtype, inputs));
                for (int i = 0; i < ExecutionMode.All.Count; i++)
                {
                    ExecutionMode mode = ExecutionMode.All[i];
                    string? difference = Bits.Difference(expected, mode.Run(() => other(dtype, inputs, i)));
                    Assert.True(difference is null, $"{test}, {mode}, {label}: {difference}");
                }
            }
        }
    }
}
