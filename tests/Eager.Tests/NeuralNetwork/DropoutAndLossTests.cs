namespace Fusion.Tests;

public sealed class DropoutAndLossTests
{
    [Fact]
    public void SmoothL1JoinsItsParabolaToLines()
    {
        NDArray x = Nd.Array([-3.0, -0.3, 0, 0.2, 2]), zero = Nd.ZerosLike(x);
        Samples.Close([3 - 0.125, 0.175, 0, 0.08, 2 - 0.125], NN.Loss.SmoothL1(x, zero, NN.Reduction.None, 0.25));
        Samples.Close([(2.5 + 0.045 + 0.02 + 1.5) / 5], NN.Loss.SmoothL1(x, zero));
        Samples.PassesGradientCheck(v => NN.Loss.SmoothL1(v[0], v[1], beta: 0.25), [x, zero], "smooth L1");
        Assert.Throws<ArgumentOutOfRangeException>(() => NN.Loss.SmoothL1(x, zero, beta: 0));
        Assert.Throws<ShapeException>(() => NN.Loss.SmoothL1(x, Nd.Scalar(0)));
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

    [Fact]
    public void DropoutOfEverythingIsZeroWhateverItWas()
    {
        NDArray x = Nd.Array([double.NaN, double.PositiveInfinity, -1, 2]);
        x.AttachGrad();
        NDArray y;
        using (Autograd.Record()) y = x.Dropout(1);
        Assert.Equal([0L, 0, 0, 0], y.ToArray<double>().Select(BitConverter.DoubleToInt64Bits));
        y.Backward();
        Assert.Equal([0.0, 0, 0, 0], x.Grad!.ToArray<double>());
    }

    [Fact]
    public void DropoutOfIntegersIsFloat32()
    {
        NDArray x = Nd.Ones(64, DType.Int32);
        Assert.Equal(DType.Float32, x.Dropout(0.5).DType);
        using (Autograd.TrainMode())
            foreach (double p in new[] { 0, 0.25, 0.5, 1 }) Assert.Equal(DType.Float32, x.Dropout(p).DType);
    }
}
