namespace Fusion.Tests;

/// <summary><c>Autograd.CheckGradients</c> passes right gradients and names wrong ones.</summary>
public sealed class CheckGradientsTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void RightGradientsPassAtEveryOrder(int order)
    {
        GradientCheckReport report = Autograd.CheckGradients(
            static x => (x[0] * x[1].Sin()).Exp() + x[0].Pow(3), [Nd.Array([0.5, -1]), Nd.Array(new double[,] { { 0.3 }, { 2 } })], order);
        Assert.True(report.Passed, report.ToString());
        Assert.InRange(report.MaxRelativeError, 0, 1e-5);
        Assert.StartsWith("passed", report.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void TheWorstEntryOfAWrongGradientIsNamed()
    {
        WrongCube cube = new();
        GradientCheckReport report = Autograd.CheckGradients(x => x[0] + cube.Apply(x[1])[0], [Nd.Ones(2), Nd.Array([0.0, 2])]);
        Assert.False(report.Passed);
        Assert.InRange(report.MaxRelativeError, 0.3, 0.4);
        Assert.Contains("FAILED", report.ToString(), StringComparison.Ordinal);
        Assert.Contains("order 1, input 1, position 1: computed 8, numeric 12", report.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void AWrongSecondOrderIsFoundOnlyWhenAsked()
    {
        DetachedSquare square = new();
        Assert.True(Autograd.CheckGradients(x => square.Apply(x[0])[0], [Nd.Array([3.0])]).Passed);
        GradientCheckReport report = Autograd.CheckGradients(x => square.Apply(x[0])[0], [Nd.Array([3.0])], order: 2);
        Assert.False(report.Passed);
        Assert.Contains("order 2", report.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void InputsStayAsTheyAreAndFloat32IsCheckedInFloat64()
    {
        NDArray x = Leaf.Of(0.1, 3);
        GradientCheckReport report = Autograd.CheckGradients(static i => i[0].Log(), [x]);
        Assert.True(report.Passed, report.ToString());
        Expect.Elements(x, 0.1, 3);
        Expect.Elements(x.Grad, 0, 0);
        Assert.False(Autograd.IsRecording);
    }

    [Fact]
    public void AConstantFunctionHasNoGradient() =>
        Assert.True(Autograd.CheckGradients(static x => x[0].Detach() * 3, [Nd.Zeros(2)], order: 2) is { Passed: false });

    [Fact]
    public void BadArgumentsAreRefused()
    {
        Expect.Throws<ArgumentNullException>(() => Autograd.CheckGradients(null!, []));
        Expect.Throws<ArgumentNullException>(() => Autograd.CheckGradients(static x => x[0], null!));
        Expect.Throws<ArgumentOutOfRangeException>(() => Autograd.CheckGradients(static x => x[0], [Nd.Ones(1)], order: 0));
        Expect.Throws<ArgumentOutOfRangeException>(() => Autograd.CheckGradients(static x => x[0].Exp(), [Nd.Ones(1)], order: 65536), "CheckGradients: order is 65536", "between 1 and 16");
        Expect.Throws<DTypeException>(() => Autograd.CheckGradients(static x => x[0], [Nd.Ones(1, DType.Int32)]), "CheckGradients");
        Expect.Throws<InvalidTimeZoneException>(() => Autograd.CheckGradients(static _ => throw new InvalidTimeZoneException(), [Nd.Ones(1)]));
    }

    private sealed class WrongCube : Autograd.Function
    {
        protected override IReadOnlyList<NDArray> Forward(IReadOnlyList<NDArray> inputs)
        {
            SaveForBackward(inputs[0]);
            return [inputs[0].Pow(3)];
        }

        protected override IReadOnlyList<NDArray?> Backward(IReadOnlyList<NDArray> outputGradients) => [outputGradients[0] * 2 * SavedArrays[0].Square()];
    }

    private sealed class DetachedSquare : Autograd.Function
    {
        protected override IReadOnlyList<NDArray> Forward(IReadOnlyList<NDArray> inputs)
        {
            SaveForBackward(inputs[0]);
            return [inputs[0].Square()];
        }

        protected override IReadOnlyList<NDArray?> Backward(IReadOnlyList<NDArray> outputGradients) => [outputGradients[0] * 2 * SavedArrays[0].Detach()];
    }
}
