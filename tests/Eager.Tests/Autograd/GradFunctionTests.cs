namespace Fusion.Tests;

/// <summary><c>Autograd.Grad</c>: gradients as results, of every order.</summary>
public sealed class GradFunctionTests
{
    [Fact]
    public void TheSingleFormReturnsAnArrayTheListFormAList()
    {
        NDArray x = Leaf.Of(2), y = Leaf.Of(5);
        using (Autograd.Record())
        {
            Expect.Elements(Autograd.Grad(x * y, x), 5);
            NDArray[] both = Autograd.Grad([x * y, x + y], [y, x]);
            Assert.Equal(2, both.Length);
            Expect.Elements(both[0], 3);
            Expect.Elements(both[1], 6);
        }
    }

    [Fact]
    public void GradientBuffersAreUntouched()
    {
        NDArray x = Leaf.Of(2), y = Leaf.Of(5);
        x.Grad!.Fill(7);
        using (Autograd.Record())
        {
            NDArray z = x * y;
            z.AttachGrad();
            Autograd.Grad(z * z, x);
            Expect.Elements(z.Grad, 0);
        }

        Expect.Elements(x.Grad, 7);
        Expect.Elements(y.Grad, 0);
        Assert.False(x.FreshGrad || y.FreshGrad);
    }

    [Fact]
    public void TheVariableMayBeAnIntermediateOrTheHead()
    {
        NDArray x = Leaf.Of(2);
        using (Autograd.Record())
        {
            NDArray y = x * x;
            NDArray z = y * y;
            NDArray[] all = Autograd.Grad([z], [x, y, z], [Nd.Array([3f])]);
            Expect.Elements(all[0], 3 * 32);
            Expect.Elements(all[1], 3 * 8);
            Expect.Elements(all[2], 3);
        }

        Expect.Elements(Autograd.Grad(x, x), 1);
    }

    [Fact]
    public void DerivativesOfEveryOrder()
    {
        NDArray x = Leaf.Doubles(1.5);
        NDArray y;
        using (Autograd.Record()) y = x.Pow(5);
        double[] expected = [5 * 5.0625, 20 * 3.375, 60 * 2.25, 120 * 1.5, 120, 0];
        foreach (double derivative in expected)
        {
            y = Autograd.Grad(y, x, createGraph: true);
            Expect.Near(1e-12, y, derivative);
        }
    }

    [Fact]
    public void DerivativesOfASine()
    {
        NDArray x = Leaf.Doubles(0.7, -2);
        NDArray y;
        using (Autograd.Record()) y = x.Sin();
        foreach (Func<double, double> expected in new Func<double, double>[] { Math.Cos, static v => -Math.Sin(v), static v => -Math.Cos(v), Math.Sin })
        {
            y = Autograd.Grad(y, x, createGraph: true);
            Expect.Near(1e-14, y, expected(0.7), expected(-2));
        }
    }

    [Fact]
    public void TheGradientOfAGradientGoesBackwardIntoTheBuffers()
    {
        // MXNet's test_gradient: the gradient is taken outside the scope.
        NDArray x = Leaf.Of(1);
        NDArray z;
        using (Autograd.Record()) z = x.Exp() + x;
        NDArray dx = Autograd.Grad([z], [x], createGraph: true)[0];
        Expect.Near(1e-7, dx, Math.E + 1);
        dx.Backward();
        Expect.Near(1e-7, x.Grad, Math.E);
    }

    [Fact]
    public void MixedSecondDerivatives()
    {
        NDArray x = Leaf.Doubles(2), y = Leaf.Doubles(3);
        using (Autograd.Record())
        {
            NDArray f = x.Square() * y + y.Pow(3);
            NDArray[] first = Autograd.Grad([f], [x, y], createGraph: true);
            NDArray[] ofX = Autograd.Grad([first[0]], [x, y], retainGraph: true);
            NDArray[] ofY = Autograd.Grad([first[1]], [x, y]);
            Expect.Near(1e-13, ofX[0], 6);
            Expect.Near(1e-13, ofX[1], 4);
            Expect.Near(1e-13, ofY[0], 4);
            Expect.Near(1e-13, ofY[1], 18);
        }
    }

    [Fact]
    public void AHessianVectorProduct()
    {
        NDArray a = Nd.Array(new double[,] { { 2, 1, 0 }, { 1, 3, -1 }, { 0, -1, 4 } });
        NDArray v = Nd.Array([1.0, -2, 0.5]);
        NDArray x = Leaf.Doubles(1, 2, 3);
        using (Autograd.Record())
        {
            NDArray f = Nd.Dot(x, Nd.Dot(a, x)) / 2;
            NDArray g = Autograd.Grad(f, x, createGraph: true);
            Expect.Near(1e-13, Autograd.Grad(g, x, headGradient: v), Expect.Doubles(Nd.Dot(a, v)));
        }
    }

    [Fact]
    public void APenaltyOnTheGradientsNormTrains()
    {
        NDArray w = Leaf.Attached(Nd.Array(new double[,] { { 0.5, -1 }, { 2, 0.25 } }));
        NDArray x = Leaf.Attached(Nd.Array(new double[,] { { 1, -0.5 } }));
        GradientCheckReport report = Autograd.CheckGradients(
            static inputs => Autograd.Grad(Nd.MatMul(inputs[1], inputs[0]).Tanh().Sum(), inputs[1], createGraph: true).Norm().Square(), [w, x]);
        Assert.True(report.Passed, report.ToString());
    }

    [Fact]
    public void GradientsAreRecordedOnlyOnRequest()
    {
        NDArray x = Leaf.Of(2);
        using (Autograd.Record())
        {
            NDArray y = x.Pow(3);
            NDArray plain = Autograd.Grad(y, x, retainGraph: true);
            Assert.Throws<AutogradException>(() => plain.Backward());
            Assert.True(Autograd.IsRecording);
            NDArray recorded = Autograd.Grad(y, x, createGraph: true);
            Expect.Elements(Autograd.Grad(recorded, x), 12);
        }
    }

    [Fact]
    public void TheGraphIsReleasedUnlessItIsNeededAgain()
    {
        NDArray x = Leaf.Of(2);
        NDArray y;
        using (Autograd.Record()) y = x * x;
        Autograd.Grad(y, x, createGraph: true);
        Autograd.Grad(y, x, retainGraph: true);
        Autograd.Grad(y, x, createGraph: true, retainGraph: false);
        Expect.Throws<AutogradException>(() => Autograd.Grad(y, x), "already released");
        using (Autograd.Record()) y = x * x;
        Autograd.Grad(y, x);
        Expect.Throws<AutogradException>(() => Autograd.Grad(y, x), "already released");
    }

    [Fact]
    public void OnlyThePathToTheVariablesIsReleased()
    {
        NDArray x = Leaf.Of(2), w = Leaf.Of(3);
        using (Autograd.Record())
        {
            NDArray left = x * x, right = w * w;
            NDArray sum = left + right;
            Autograd.Grad(sum, x);
            Expect.Elements(Autograd.Grad(right, w), 6);
        }
    }

    [Fact]
    public void AVariableThatIsNotReachedIsAnErrorOrZeros()
    {
        NDArray x = Leaf.Of(2), unused = Leaf.Of(3, 4), plain = Nd.Ones(2);
        NDArray y;
        using (Autograd.Record()) y = x * x;
        Expect.Throws<AutogradException>(() => Autograd.Grad([y], [x, unused], retainGraph: true), "variable 1", "do not depend", "allowUnused: true");
        Expect.Throws<AutogradException>(() => Autograd.Grad(y, plain, retainGraph: true), "not part of the recorded graph", "AttachGrad()");
        NDArray[] gradients = Autograd.Grad([y], [unused, x, plain], allowUnused: true);
        Expect.Elements(gradients[0], 0, 0);
        Expect.Elements(gradients[1], 4);
        Expect.Elements(gradients[2], 0, 0);
    }

    public static TheoryData<string, int> Polynomials => new() { { "x", 2 }, { "x + x", 2 }, { "0.5 x", 3 }, { "sum", 2 }, { "cast", 2 }, { "square", 3 }, { "cube", 5 }, { "relu", 3 }, { "dropout", 3 } };

    [Theory]
    [MemberData(nameof(Polynomials))]
    public void DerivativesOfConstantsAreZero(string name, int order)
    {
        Func<NDArray, NDArray> f = name switch
        {
            "x" => static x => x,
            "x + x" => static x => x + x,
            "0.5 x" => static x => 0.5 * x,
            "sum" => static x => x.Sum(),
            "cast" => static x => x.AsType(DType.Float64),
            "square" => static x => x.Square(),
            "cube" => static x => x.Pow(3),
            "relu" => static x => x.Relu(),
            _ => static x => x.Dropout(),
        };
        NDArray x = Leaf.Of(2, 3);
        using (Autograd.Record())
        {
            NDArray y = f(x);
            for (int k = 0; k < order; k++) y = Autograd.Grad([y], [x], createGraph: true, allowUnused: true)[0];
            Expect.Elements(y, 0, 0);
        }
    }

    [Fact]
    public void AReleasedPartIsNamedInsteadOfBeingLeftOut()
    {
        NDArray x = Leaf.Of(2);
        using (Autograd.Record())
        {
            NDArray shared = x * x;
            NDArray first = shared * 3, second = shared * 5 + x;
            first.Backward();
            AutogradException error = Assert.Throws<AutogradException>(() => Autograd.Grad(second, x));
            Assert.Contains("Multiply", error.Message, StringComparison.Ordinal);
            Assert.Contains("another head that shares this part", error.Message, StringComparison.Ordinal);
            Assert.Throws<AutogradException>(() => Autograd.Grad([second], [x], allowUnused: true));
            Expect.Elements(Autograd.Grad(second, shared), 5);
        }
    }

    [Fact]
    public void TheSameVariableTwiceGivesTwoArrays()
    {
        NDArray x = Leaf.Of(2, 3);
        using (Autograd.Record())
        {
            NDArray[] twice = Autograd.Grad([x.Sum()], [x, x]);
            twice[0].Fill(5);
            Assert.Equal([1, 1], twice[1].AsSpan<float>().ToArray());
        }
    }

    [Fact]
    public void GradientsOfSeveralHeadsWithHeadGradients()
    {
        NDArray x = Leaf.Of(2), y = Leaf.Of(3);
        using (Autograd.Record())
        {
            NDArray[] gradients = Autograd.Grad(
                heads: [x * y, x + y], variables: [x, y], headGradients: [Nd.Full(1, 10), null], retainGraph: true, createGraph: false, trainMode: false,
                allowUnused: false);
            Expect.Elements(gradients[0], 31);
            Expect.Elements(gradients[1], 21);
        }
    }

    [Fact]
    public void NullsAndWrongTypesAreRefused()
    {
        NDArray x = Leaf.Of(2);
        NDArray y;
        using (Autograd.Record()) y = x * x;
        Expect.Throws<ArgumentNullException>(() => Autograd.Grad((NDArray)null!, x));
        Expect.Throws<ArgumentNullException>(() => Autograd.Grad(y, null!));
        Expect.Throws<ArgumentNullException>(() => Autograd.Grad([y], null!));
        Expect.Throws<ArgumentNullException>(() => Autograd.Grad((IReadOnlyList<NDArray>)null!, [x]));
        Expect.Throws<ArgumentNullException>(() => Autograd.Grad([y, null!], [x]), "head 1");
        Expect.Throws<ArgumentNullException>(() => Autograd.Grad([y], [x, null!]), "variable 1");
        Expect.Throws<DTypeException>(() => Autograd.Grad(y, Nd.Ones(1, DType.Int32)), "Int32");
        Expect.Elements(Autograd.Grad(y, x), 4);
    }
}
