namespace Fusion.Tests;

/// <summary>Gradients of first and second order of every case, in every execution mode, have the bits of eager execution.</summary>
[Collection(nameof(ProcessState))]
public class GradientModeTests
{
    public static TheoryData<string, string> CasesAndModes
    {
        get
        {
            TheoryData<string, string> rows = [];
            foreach (OpCase test in OpCases.All.Where(static c => c.Order > 0))
                foreach (ExecutionMode mode in ExecutionMode.All.Skip(1)) rows.Add(test.Title, mode.Name);
            return rows;
        }
    }

    [Theory]
    [MemberData(nameof(CasesAndModes))]
    public void GradientsHaveTheBitsOfEagerExecution(string title, string modeName)
    {
        OpCase test = OpCases.Find(title);
        ExecutionMode mode = ExecutionMode.Find(modeName);
        ArrayFunction eager = x => [test.Call(x)];
        ArrayFunction function = mode.Prepare(eager);
        foreach (DType dtype in ResultTypes.Floats)
        {
            foreach ((string label, NDArray[] inputs) in CaseInputs.Sets(test, dtype)) Check(label, inputs, dtype);
            if (test.Large.Length > 0) Check($"{dtype} large", CaseInputs.Draw(test, test.Large, dtype), dtype);
        }

        void Check(string label, NDArray[] inputs, DType dtype)
        {
            CaseGradient gradient = new(test, inputs, dtype);
            NDArray[] expected = ExecutionMode.Eager.Run(() => gradient.Of(eager, test.Order));
            string? difference = Bits.Difference(expected, mode.Run(() => gradient.Of(function, test.Order)));
            Assert.True(difference is null, $"{test}, {mode}, {label}: {difference}");
        }
    }
}
