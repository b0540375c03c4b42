namespace Fusion.Tests;

/// <summary>Gradients of every case against finite differences, at kinks, and what they read.</summary>
[Collection(nameof(ProcessState))]
public class GradientTests
{
    public static TheoryData<string> Differentiable => [.. OpCases.All.Where(static c => c.Order > 0).Select(static c => c.Title)];

    public static TheoryData<string> WithSlopes => [.. OpCases.All.Where(static c => c.Slopes.Length > 0).Select(static c => c.Title)];

    public static TheoryData<string> RowsWithRules => [.. OpTable.Rows.Where(static r => r.Gradient is not null).Select(static r => r.Name)];

    [Theory]
    [MemberData(nameof(Differentiable))]
    public void GradientsAreThoseOfFiniteDifferences(string title)
    {
        OpCase test = OpCases.Find(title);
        CaseGradient gradient = new(test, test.Shapes[0], DType.Float64);
        if (test.ZeroGradient)
        {
            Assert.All(gradient.Of(x => [test.Call(x)], 1).SelectMany(static g => g.ToArray<double>()), static g => Assert.Equal(0, g));
            return;
        }

        GradientCheckReport report = Autograd.CheckGradients(x => gradient.Weighted(test.Call, [.. x]), gradient.Variables, test.Order);
        Assert.True(report.Passed, $"{test}: {report}");
    }

    [Theory]
    [MemberData(nameof(Differentiable))]
    public void GradientsOfFloatsAreThoseOfDoubles(string title)
    {
        OpCase test = OpCases.Find(title);
        foreach (Shape[] shapes in test.Shapes)
        {
            NDArray[] doubles = new CaseGradient(test, shapes, DType.Float64).Of(x => [test.Call(x)], 1);
            NDArray[] floats = new CaseGradient(test, shapes, DType.Float32).Of(x => [test.Call(x)], 1);
            for (int i = 0; i < doubles.Length; i++)
            {
                Assert.Equal(DType.Float32, floats[i].DType);
                string? difference = Comparison.Difference(test with { Ulps = 200, Scale = Math.Max(1, test.Scale) }, floats[i], RefArray.Of(doubles[i]));
                Assert.True(difference is null, $"{test}, {string.Join(' ', shapes)}, gradient {i}: {difference}");
            }
        }
    }

    [Theory]
    [MemberData(nameof(WithSlopes))]
    public void DerivativesAtKinksAreThoseOfTheConvention(string title)
    {
        OpCase test = OpCases.Find(title);
        foreach (DType dtype in ResultTypes.Floats)
        {
            foreach (double[] row in test.Slopes)
            {
                NDArray[] variables = [.. row[..test.InputCount].Select(v => Nd.Scalar(v, dtype))];
                foreach (NDArray variable in variables) variable.AttachGrad();
                using (Autograd.Record()) test.Call(variables).Backward();
                for (int i = 0; i < variables.Length; i++)
                {
                    double slope = RefArray.Of(variables[i].Grad!).Values[0];
                    double expected = row[test.InputCount + i];
                    string at = string.Join(", ", row[..test.InputCount]);
                    Assert.True(Comparison.Agrees(test, dtype, slope, expected), $"{test}, {dtype} at ({at}): slope {i} is {slope:R}, not {expected:R}");
                }
            }
        }
    }

    /// <summary>A rule that reads what its row does not save is an error of its own; here each rule runs, and what is saved is read.</summary>
    [Theory]
    [MemberData(nameof(RowsWithRules))]
    public void EveryRuleRunsAndWhatIsSavedIsRead(string name)
    {
        Op row = OpTable.Rows.Single(r => r.Name == name);
        OpCase[] tests = [.. OpCases.All.Where(c => ReferenceEquals(c.Row, row) && c.Order > 0)];
        HashSet<int> ran = [];
        int order = row.Joint is null ? 1 : 2; // where nothing is recorded all gradients are computed at once
        Saved read = Saved.None;
        foreach (OpCase test in tests)
        {
            foreach (DType dtype in ResultTypes.Floats)
                ran.UnionWith(GradientRules.Ran(row, () => new CaseGradient(test, test.Shapes[0], dtype).Of(x => [test.Call(x)], order)));
            read |= GradientRules.Reads(row, test);
        }

        for (int i = 0; i < row.Gradient!.Length; i++)
            Assert.True(row.Gradient[i] is null || ran.Contains(i), $"{name}: no case runs gradient rule {i}.");
        Saved declared = row.Saves == Saved.None ? Saved.None : row.Saves & GradientRules.Writable(row, tests);
        Assert.True(read == declared, $"{name} saves {declared}, its rules read {read}.");
    }
}
