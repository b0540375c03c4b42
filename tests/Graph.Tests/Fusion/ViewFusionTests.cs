namespace Fusion.Tests;

/// <summary>Views going into, through and out of compiled functions.</summary>
public sealed class ViewFusionTests
{
    public static readonly (string Name, Func<NDArray, NDArray> View)[] All =
    [
        ("slice", static x => x[1..3]), ("column", static x => x[.., 1]), ("stride", static x => x.Slice(1, null, null, 2)), ("flip", static x => x.Flip(0)),
        ("transpose", static x => x.Transpose()), ("reshape", static x => x.Reshape(2, 10)), ("flatten", static x => x.Reshape(-1)), ("new axis", static x => x.ExpandDims(1)),
        ("broadcast", static x => x.BroadcastTo((3, 4, 5))), ("reshaped transpose", static x => x.Transpose().Reshape(2, 10)), ("slice of transpose", static x => x.Transpose()[1..4]),
        ("transposed slice", static x => x[1..3].Transpose()), ("squeezed", static x => x[1..2].Squeeze(0)), ("empty slice", static x => x[2..2]), ("stop", static x => x.StopGradient()),
        ("detached", static x => x.Detach()), ("copy", static x => x.Copy()), ("reshaped slice", static x => x[.., 1..3].Reshape(-1)), ("flipped flip", static x => x.Flip(1).Flip(0)),
    ];

    public static TheoryData<string> Names => [.. All.Select(static v => v.Name)];

    [Theory]
    [MemberData(nameof(Names))]
    public void AViewAlone(string name) => Check.Both(Check.List(Find(name)), TestArrays.Special((4, 5)));

    [Theory]
    [MemberData(nameof(Names))]
    public void AViewOfAComputedValue(string name) => Check.Both(Check.List(x => Find(name)(x.Tanh())), TestArrays.Uniform((4, 5)));

    [Theory]
    [MemberData(nameof(Names))]
    public void AViewThatIsComputedWith(string name) => Check.Both(Check.List(x => Find(name)(x * 2).Exp() + 1), TestArrays.Uniform((4, 5)));

    [Theory]
    [MemberData(nameof(Names))]
    public void AViewAndItsSourceBothGoOut(string name) => Check.Both(x =>
    {
        NDArray y = x[0].Sin();
        return [y, Find(name)(y), y, Find(name)(y)];
    }, TestArrays.Uniform((4, 5)));

    // A launch binds so many arrays, and every view is one of them.
    [Fact]
    public void ManyViewsOfOneArray()
    {
        Func<NDArray, NDArray> sum = static x => Enumerable.Range(0, 64).Select(i => x[i % 32] * (1.0 + i)).Aggregate(static (a, b) => a + b).Mean();
        Check.Both(Check.List(sum), TestArrays.Uniform((32, 64)));
        Func<NDArray, NDArray> sums = static x =>
        {
            NDArray s = x.Square().Sum(1);
            return Enumerable.Range(0, 50).Select(i => s[i..(i + 1)]).Aggregate(static (a, b) => a * b + 1);
        };
        Check.Both(Check.List(sums), TestArrays.Uniform((64, 32)));
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void AViewAsInput(string name)
    {
        NDArray view = Find(name)(TestArrays.Uniform((4, 5)));
        Check.Both(Check.List(static x => x.Tanh() * x), view);
        Check.Both(Check.List(static x => x.Reshape(-1) + 1), view);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void ResultsThatAreViewsOfInputsAreValues(string name)
    {
        NDArray x = TestArrays.Uniform((4, 5));
        HybridFunction<ListFunction> f = Check.List(Find(name)).Hybridize(Check.Strict);
        for (int call = 0; call < 2; call++)
        {
            NDArray result = f.Invoke([x])[0];
            NDArray before = result.Copy();
            NDArray input = x.Copy();
            x.Fill(call + 7);
            Check.Same(before, result, "the result after a write to the input");
            x.Assign(input);
            if (result.Size > 0) result.Fill(-1);
            Check.Same(input, x, "the input after a write to the result");
        }
    }

    [Fact]
    public void ViewsAreNotLaunches()
    {
        HybridReport report = Check.Forward(Check.List(static x => x.Transpose()[1.., ..2].BroadcastTo((3, 4, 2))), TestArrays.Uniform((4, 5)));
        Assert.Equal(0, report.KernelCount);
        Assert.All(report.Groups, static g => Assert.Equal("View", g.Kind));
    }

    [Fact]
    public void OppositeViewsCancel()
    {
        HybridReport report = Check.Forward(Check.List(static x => x.Transpose().Transpose().Reshape(20).Reshape(4, 5) * 2), TestArrays.Uniform((4, 5)));
        Assert.Equal(["Multiply"], report.Groups.Single().Ops);
    }

    private static Func<NDArray, NDArray> Find(string name) => All.Single(v => v.Name == name).View;
}
