namespace Fusion.Tests;

/// <summary>Every case in every execution mode gives the bits of eager execution, NaN included.</summary>
[Collection(nameof(ProcessState))]
public class ModeTests
{
    public static TheoryData<string, string> CasesAndModes
    {
        get
        {
            TheoryData<string, string> rows = [];
            foreach (OpCase test in OpCases.All)
                foreach (ExecutionMode mode in ExecutionMode.All.Skip(1)) rows.Add(test.Title, mode.Name);
            return rows;
        }
    }

    [Theory]
    [MemberData(nameof(CasesAndModes))]
    public void ResultsHaveTheBitsOfEagerExecution(string title, string modeName)
    {
        OpCase test = OpCases.Find(title);
        ExecutionMode mode = ExecutionMode.Find(modeName);
        ArrayFunction eager = x => [test.Call(x)];
        ArrayFunction function = mode.Prepare(eager);
        foreach (DType dtype in test.DTypes)
        {
            foreach ((string label, NDArray[] inputs) in CaseInputs.Sets(test, dtype)) Check(label, inputs);
            if (test.Large.Length > 0) Check($"{dtype} large", CaseInputs.Draw(test, test.Large, dtype));
        }

        void Check(string label, NDArray[] inputs)
        {
            NDArray[] expected = ExecutionMode.Eager.Run(() => eager(inputs));
            string? difference = Bits.Difference(expected, mode.Run(() => function(inputs)));
            Assert.True(difference is null, $"{test}, {mode}, {label}: {difference}");
        }
    }
}
