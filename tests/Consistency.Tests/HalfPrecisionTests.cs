namespace Fusion.Tests;

/// <summary>
/// Every case in the types of two bytes: the Float32 result on the widened inputs, rounded once, with the same bits in every mode; gradients likewise.
/// </summary>
[Collection(nameof(ProcessState))]
public class HalfPrecisionTests
{
    private static readonly DType[] s_halves = [DType.Float16, DType.BFloat16];

    // Their calls prepare the operands with operators of their own: Eager.Tests has single calls.
    private static readonly OpCase[] s_composed = [.. OpCases.Factorizations, .. OpCases.Sampling];

    private static readonly string[] s_modes = ["eager 128", "interpreted", "compiled 256", "compiled whole"];

    public static TheoryData<string> OfFloats => [.. Titles(static c => c.DTypes.Contains(DType.Float32) && c.InputCount > 0)];

    public static TheoryData<string> Differentiable => [.. Titles(static c => c.DTypes.Contains(DType.Float32) && c.Order > 0)];

    public static TheoryData<string> SingleCalls => [.. Titles(static c => c.DTypes.Contains(DType.Float32) && c.InputCount > 0 && !s_composed.Contains(c))];

    public static TheoryData<string> SingleGradients => [.. Titles(static c => c.DTypes.Contains(DType.Float32) && c.Order > 0 && !s_composed.Contains(c))];

    [Theory]
    [MemberData(nameof(SingleCalls))]
    public void ResultsAreThoseOfFloat32RoundedOnce(string title)
    {
        OpCase test = OpCases.Find(title);
        foreach (DType half in s_halves)
        {
            for (int i = 0; i < test.Shapes.Length; i++)
            {
                NDArray[] inputs = CaseInputs.Draw(test, test.Shapes[i], half, i);
                NDArray actual = ExecutionMode.Eager.Run(() => test.Call(inputs));
                NDArray expected = ExecutionMode.Eager.Run(() => test.Call(Array.ConvertAll(inputs, Widened)));
                Assert.Equal(test.Result(half), actual.DType);
                string? difference = Bits.Difference(actual.DType.IsHalf ? expected.AsType(actual.DType) : expected, actual);
                Assert.True(difference is null, $"{test}, {half} {string.Join(' ', test.Shapes[i])}: {difference}");
            }
        }
    }

    [Theory]
    [MemberData(nameof(SingleGradients))]
    public void GradientsAreThoseOfFloat32RoundedOnce(string title)
    {
        OpCase test = OpCases.Find(title);
        foreach (DType half in s_halves)
        {
            NDArray[] inputs = CaseInputs.Draw(test, test.Shapes[0], half);
            NDArray[] actual = new CaseGradient(test, inputs, half).Of(x => [test.Call(x)], 1);
            NDArray[] expected = new CaseGradient(test, Array.ConvertAll(inputs, Widened), DType.Float32).Of(x => [test.Call(x)], 1);
            for (int i = 0; i < actual.Length; i++)
            {
                string? difference = Bits.Difference(expected[i].AsType(half), actual[i]);
                Assert.True(difference is null, $"{test}, {half}, gradient {i}: {difference}");
            }
        }
    }

    [Theory]
    [MemberData(nameof(OfFloats))]
    public void ResultsHaveTheBitsOfEagerExecution(string title)
    {
        OpCase test = OpCases.Find(title);
        foreach (DType half in s_halves)
        {
            NDArray[] inputs = CaseInputs.Draw(test, test.Shapes[0], half);
            Compare(test, half, () => [test.Call(inputs)], mode => mode.Prepare(x => [test.Call(x)])(inputs));
        }
    }

    [Theory]
    [MemberData(nameof(Differentiable))]
    public void GradientsHaveTheBitsOfEagerExecution(string title)
    {
        OpCase test = OpCases.Find(title);
        ArrayFunction eager = x => [test.Call(x)];
        foreach (DType half in s_halves)
        {
            NDArray[] inputs = CaseInputs.Draw(test, test.Shapes[0], half);
            Compare(test, half, () => new CaseGradient(test, inputs, half).Of(eager, test.Order), mode =>
            {
                CaseGradient gradient = new(test, inputs, half);
                return mode.TracesGradients
                    ? mode.Prepare(variables => gradient.At(variables, eager, test.Order))(gradient.Variables)
                    : gradient.Of(mode.Prepare(eager), test.Order);
            });
        }
    }

    private static void Compare(OpCase test, DType half, Func<NDArray[]> eager, Func<ExecutionMode, NDArray[]> other)
    {
        NDArray[] expected = ExecutionMode.Eager.Run(eager);
        foreach (ExecutionMode mode in ExecutionMode.All.Where(static m => s_modes.Contains(m.Name)))
        {
            string? difference = Bits.Difference(expected, mode.Run(() => other(mode)));
            Assert.True(difference is null, $"{test}, {half}, {mode}: {difference}");
        }
    }

    private static IEnumerable<string> Titles(Func<OpCase, bool> which) => OpCases.All.Where(which).Select(static c => c.Title);

    private static NDArray Widened(NDArray x) => x.DType.IsHalf ? x.AsType(DType.Float32) : x;
}
