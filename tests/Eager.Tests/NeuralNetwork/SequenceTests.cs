namespace Fusion.Tests;

public sealed class SequenceTests
{
    private static readonly int[] s_lengths = [2, 4, 1];

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public void SequencesAreMaskedReversedAndEndedAtTheirLengths(int axis)
    {
        NDArray timeFirst = Samples.Normal((4, 3, 2), 1), lengths = Nd.Array(s_lengths);
        NDArray x = axis == 0 ? timeFirst : timeFirst.SwapAxes(0, 1);
        double[] values = Samples.Values(timeFirst);
        NDArray Back(NDArray y) => axis == 0 ? y : y.SwapAxes(0, 1);
        double[] Expected(Func<int, int, int> from, double outside = 0) =>
            [.. Enumerable.Range(0, 24).Select(i => from(i / 6, i / 2 % 3) is >= 0 and int t ? values[t * 6 + i % 6] : outside)];
        Samples.Close(Expected((t, n) => t < s_lengths[n] ? t : -1, 7), Back(x.SequenceMask(lengths, 7, axis)));
        Samples.Close(Expected((t, n) => t < s_lengths[n] ? s_lengths[n] - 1 - t : t), Back(x.SequenceReverse(lengths, axis)));
        Samples.Close([.. Enumerable.Range(0, 6).Select(i => values[(s_lengths[i / 2] - 1) * 6 + i])], x.SequenceLast(lengths, axis));
        Samples.PassesGradientCheck(v => Nd.Tanh(v[0].SequenceMask(lengths, 7, axis)) + Nd.Tanh(v[0].SequenceReverse(lengths, axis)), [x], "sequences");
        Samples.PassesGradientCheck(v => Nd.Tanh(v[0].SequenceLast(lengths, axis)), [x], "last");
        Assert.Contains("(2,)", Assert.Throws<ShapeException>(() => x.SequenceMask(Nd.Array([1, 2]), axis: axis)).Message, StringComparison.Ordinal);
        Assert.Throws<DTypeException>(() => x.SequenceLast(Nd.Ones(3), axis));
    }

    [Fact]
    public void SmoothL1JoinsItsParabolaToLines()
    {
        NDArray x = Nd.Array([-3.0, -0.3, 0, 0.2, 0.25, 2]);
        Samples.Close([3 - 0.125, 0.175, 0, 0.08, 0.125, 2 - 0.125], x.SmoothL1(2));
        Samples.Close([2.5, 0.045, 0, 0.02, 0.03125, 1.5], x.SmoothL1());
        Samples.PassesGradientCheck(v => v[0].SmoothL1(2), [Nd.Array([-3.0, -0.3, 0, 0.2, 2])], "smooth L1");
        Samples.Close([(2.5 + 1.5) / 6 + (0.045 + 0.02 + 0.03125) / 6], NN.Loss.SmoothL1(x, Nd.ZerosLike(x)));
    }

    [Fact]
    public void DropoutAlongAxesTakesOneDecision()
    {
        NDArray x = Nd.Ones((40, 3, 5));
        using (Autograd.TrainMode())
        {
            float[] y = x.Dropout(0.5, axes: [1, -1]).ToArray<float>();
            for (int i = 0; i < y.Length; i++) Assert.Equal(y[i / 15 * 15], y[i]);
            Assert.Equal([0, 2], y.Distinct().Order());
        }

        Assert.Throws<ArgumentOutOfRangeException>(() => x.Dropout(0.5, axes: [3]));
    }
}
