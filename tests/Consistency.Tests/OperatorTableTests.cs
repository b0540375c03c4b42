namespace Fusion.Tests;

/// <summary>Every row of the operator table has cases, and each case is about its row.</summary>
public class OperatorTableTests
{
    public static TheoryData<string> Rows => [.. OpTable.Rows.Select(static row => row.Name)];

    public static TheoryData<string> Cases => [.. OpCases.All.Select(static c => c.Title)];

    [Theory]
    [MemberData(nameof(Rows))]
    public void TheRowHasACase(string row) =>
        Assert.True(OpCases.All.Any(c => c.Row.Name == row), $"{row} has no case: add one to a table in tests/Common/Cases, see OpCase.");

    [Theory]
    [MemberData(nameof(Cases))]
    public void TheCaseCallsItsRow(string title)
    {
        OpCase test = OpCases.Find(title);
        IEnumerable<Op> called = test.DTypes.SelectMany(dtype => TracedGraphs.OperatorsOf(x => [test.Call(x)], CaseInputs.Draw(test, test.Shapes[0], dtype)));
        Assert.Contains(test.Row, called);
    }

    [Fact]
    public void NamesAreUnique()
    {
        Assert.Equal(OpTable.Rows.Count, OpTable.Rows.DistinctBy(static row => row.Name).Count());
        Assert.Equal(OpCases.All.Count, OpCases.All.DistinctBy(static c => c.Title).Count());
    }
}
