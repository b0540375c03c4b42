namespace Fusion.Tests;

/// <summary>Whole programs of the kind that define-by-run is for: control flow, loops over data, gradients of gradients.</summary>
[Collection(nameof(RandomStream))]
public sealed class ProgramTests
{
    [Fact]
    public void ALoopWhoseLengthDependsOnTheData()
    {
        NDArray x = Leaf.Doubles(1.5);
        int steps = 0;
        NDArray y;
        using (Autograd.Record())
        {
            y = x;
            for (; y.Item<double>() < 100; steps++) y = y * y;
        }

        y.Backward();
        Assert.Equal(4, steps);
        Expect.Near(1e-13, x.Grad, 16 * Math.Pow(1.5, 15));
    }

    [Fact]
    public void ARecursiveFunctionWithBranches()
    {
        NDArray x = Leaf.Doubles(3);
        using (Autograd.Record()) Power(x, 13).Backward();
        Expect.Near(1e-14, x.Grad, 13 * Math.Pow(3, 12));

        static NDArray Power(NDArray b, int n) => n == 1 ? b : n % 2 == 0 ? Power(b * b, n / 2) : b * Power(b, n - 1);
    }

    [Fact]
    public void TheJacobianRowByRow()
    {
        NDArray x = Leaf.Doubles(1, 2, 3);
        using RecordScope scope = Autograd.Record();
        NDArray y = Nd.Stack([x[0] * x[1], x[1] * x[2].Exp()]);
        NDArray[] rows = [.. Enumerable.Range(0, 2).Select(i => Autograd.Grad(y, x, headGradient: Nd.Array([i]).OneHot(2)[0], retainGraph: true))];
        Expect.Near(1e-14, rows[0], 2, 1, 0);
        Expect.Near(1e-14, rows[1], 0, Math.Exp(3), 2 * Math.Exp(3));
    }

    [Fact]
    public void NewtonsMethodWithTheHessianOfTheTape()
    {
        NDArray x = Leaf.Doubles(-1.2, 1);
        for (int i = 0; i < 8; i++)
        {
            double[] g;
            double[][] h = new double[2][];
            using (Autograd.Record())
            {
                NDArray f = (1 - x[0]).Square() + 100 * (x[1] - x[0].Square()).Square();
                NDArray gradient = Autograd.Grad(f, x, createGraph: true);
                g = Expect.Doubles(gradient);
                for (int row = 0; row < 2; row++) h[row] = Expect.Doubles(Autograd.Grad(gradient[row], x, retainGraph: true));
            }

            Assert.Equal(h[0][1], h[1][0], 1e-9);
            double det = h[0][0] * h[1][1] - h[0][1] * h[1][0];
            x.Assign(x - Nd.Array([(h[1][1] * g[0] - h[0][1] * g[1]) / det, (h[0][0] * g[1] - h[1][0] * g[0]) / det]));
        }

        Expect.Near(1e-9, x, 1, 1);
    }

    [Fact]
    public void ALearningStepIsDifferentiatedThrough()
    {
        // The loss after one inner step w' = w − lr·∇(w − a)², as a function of w and lr: the gradient of meta-learning.
        NDArray w = Leaf.Doubles(2), rate = Leaf.Doubles(0.1);
        const double a = 5, b = -1;
        using (Autograd.Record())
        {
            NDArray inner = Autograd.Grad((w - a).Square(), w, createGraph: true);
            (w - rate * inner - b).Square().Backward();
        }

        double updated = 2 - 0.1 * 2 * (2 - a);
        Expect.Near(1e-13, w.Grad, 2 * (updated - b) * (1 - 0.1 * 2));
        Expect.Near(1e-13, rate.Grad, 2 * (updated - b) * -2 * (2 - a));
    }

    [Fact]
    public void ARecurrentNetworkOverTime()
    {
        Nd.Random.Seed(8);
        NDArray x = Nd.Random.Normal(0, 1, (6, 2, 3), DType.Float64);
        GradientCheckReport report = Autograd.CheckGradients(
            p =>
            {
                NDArray h = p[2];
                for (int t = 0; t < x.Shape[0]; t++) h = (Nd.MatMul(x[t], p[0]) + Nd.MatMul(h, p[1])).Tanh();
                return h.Square();
            },
            [Nd.Random.Normal(0, 0.5, (3, 4), DType.Float64), Nd.Random.Normal(0, 0.5, (4, 4), DType.Float64), Nd.Zeros((2, 4), DType.Float64)]);
        Assert.True(report.Passed, report.ToString());
    }

    [Fact]
    public void AnAttentionHeadToSecondOrder()
    {
        Nd.Random.Seed(9);
        NDArray[] qkv = [.. Enumerable.Range(0, 3).Select(static _ => Nd.Random.Normal(0, 1, (2, 2), DType.Float64))];
        GradientCheckReport report = Autograd.CheckGradients(
            static p => Nd.MatMul((Nd.MatMul(p[0], p[1].Transpose()) / Math.Sqrt(2)).Softmax(), p[2]), qkv, order: 2);
        Assert.True(report.Passed, report.ToString());
    }

    [Fact]
    public void OverlappingReadsOfOneArrayAddUp()
    {
        NDArray x = Leaf.Of(1, 2, 3, 4);
        using (Autograd.Record())
        {
            NDArray windows = Nd.Stack([x[0..2], x[1..3], x[2..4]]);
            NDArray picked = x.Take(Nd.Array([0, 3, 3, 3]));
            Nd.Concat([windows.Reshape(-1), picked, x.Flip(0), x.Reshape(2, 2).Transpose().Reshape(-1)]).Backward();
        }

        Expect.Elements(x.Grad, 1 + 1 + 2, 2 + 2, 2 + 2, 1 + 3 + 2);
    }

    [Fact]
    public void LinearRegressionFindsTheLine()
    {
        Nd.Random.Seed(10);
        NDArray x = Nd.Random.Normal(0, 1, (200, 2)), truth = Nd.Array([3f, -2]);
        NDArray y = Nd.MatMul(x, truth) + 0.5;
        NDArray w = Leaf.Of(0, 0), b = Leaf.Attached(Nd.Scalar(0));
        for (int i = 0; i < 100; i++)
        {
            using (Autograd.Record()) (Nd.MatMul(x, w) + b - y).Square().Mean().Backward();
            foreach (NDArray p in new[] { w, b }) p.Assign(p - 0.2 * p.Grad!);
        }

        Expect.Near(1e-4, w, 3, -2);
        Expect.Near(1e-4, b, 0.5);
    }

    [Fact]
    public void TruncatedBackpropagationDetachesTheState()
    {
        NDArray w = Leaf.Doubles(0.5);
        NDArray state = Nd.Ones(1, DType.Float64);
        double expected = 1;
        for (int i = 0; i < 5; i++)
        {
            using (Autograd.Record())
            {
                state = state.Detach() * w;
                state.Backward();
            }

            Expect.Elements(w.Grad, expected);
            expected *= 0.5;
        }

        using (Autograd.Record())
        {
            NDArray carried = state * w;
            Assert.Contains("already released", Assert.Throws<AutogradException>(() => carried.Backward()).Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void GradientsOfTheSameProgramAreTheSameBits()
    {
        Nd.Random.Seed(12);
        NDArray x = Nd.Random.Normal(0, 1, (50, 40)), w = Leaf.Attached(Nd.Random.Normal(0, 1, (30, 40)));
        float[]? first = null;
        for (int i = 0; i < 3; i++)
        {
            using (Autograd.Record()) Nd.FullyConnected(x, w).Gelu().LogSoftmax().Square().Mean().Backward();
            float[] gradient = w.Grad!.ToArray<float>();
            Assert.Equal(first ??= gradient, gradient);
        }
    }
}
