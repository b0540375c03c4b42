namespace Fusion.Tests;

/// <summary>What an attached gradient is, when it is written, and how it is let go.</summary>
public sealed class AttachGradTests
{
    [Fact]
    public void AttachedBuffersAreZeroAndOfTheArraysType()
    {
        NDArray x = Nd.Ones((2, 3), DType.Float64);
        Assert.Null(x.Grad);
        Assert.Equal(GradReq.Null, x.GradReq);
        x.AttachGrad();
        Assert.Equal(GradReq.Write, x.GradReq);
        Assert.Equal((2, 3), x.Grad!.Shape);
        Assert.Equal(DType.Float64, x.Grad.DType);
        Expect.Elements(x.Grad, 0, 0, 0, 0, 0, 0);
        Assert.False(x.FreshGrad);
        x.AttachGrad(GradReq.Add);
        Assert.Equal(GradReq.Add, x.GradReq);
        x.AttachGrad(GradReq.Null);
        Assert.Null(x.Grad);
        Assert.Equal(GradReq.Null, x.GradReq);
    }

    [Fact]
    public void WriteOverwritesAndAddAccumulatesAcrossBackwards()
    {
        NDArray write = Leaf.Of(1, 2);
        NDArray add = Leaf.Adding(1, 2);
        for (int i = 1; i <= 3; i++)
        {
            using (Autograd.Record()) (write * write + add * 2).Backward();
            Expect.Elements(write.Grad, 2, 4);
            Expect.Elements(add.Grad, 2 * i, 2 * i);
        }

        add.ZeroGrad();
        Expect.Elements(add.Grad, 0, 0);
    }

    [Theory]
    [InlineData(GradReq.Write)]
    [InlineData(GradReq.Add)]
    public void WithinOneBackwardAllPathsAdd(GradReq request)
    {
        // MXNet #17989: a variable used more than four times was wrong with the request add.
        for (int uses = 1; uses <= 12; uses++)
        {
            NDArray x = Leaf.Attached(Nd.Array([2f, 3]), request);
            using (Autograd.Record())
            {
                NDArray y = x * 1;
                for (int i = 2; i <= uses; i++) y += x * i;
                y.Backward();
            }

            double sum = uses * (uses + 1) / 2.0;
            Expect.Elements(x.Grad, sum, sum);
        }
    }

    [Fact]
    public void AnIntermediateKeepsItsHistoryAndReceivesItsGradientToo()
    {
        NDArray x = Leaf.Of(2);
        NDArray y, z;
        using (Autograd.Record())
        {
            y = x * x;
            y.AttachGrad();
            z = y * 3;
        }

        z.Backward();
        Expect.Elements(y.Grad, 3);
        Assert.True(y.FreshGrad);
        Expect.Elements(x.Grad, 12);
    }

    [Fact]
    public void EveryOutputOfAFunctionMayBeAttached()
    {
        NDArray x = Leaf.Of(6), y = Leaf.Of(2);
        using (Autograd.Record())
        {
            IReadOnlyList<NDArray> outputs = new CustomFunctionTests.QuotientAndProduct().Apply(x, y);
            foreach (NDArray output in outputs) output.AttachGrad();
            (outputs[0] * 10 + outputs[1] * 100).Backward();
            Expect.Elements(outputs[0].Grad, 10);
            Expect.Elements(outputs[1].Grad, 100);
        }

        Expect.Elements(x.Grad, 205);
    }

    [Fact]
    public void AnIntermediateMayBeAttachedAfterItsUseAndOutsideTheScope()
    {
        NDArray x = Leaf.Of(2);
        NDArray y, z;
        using (Autograd.Record())
        {
            y = x * x;
            z = y * y;
        }

        y.AttachGrad(GradReq.Add);
        z.Backward(retainGraph: true);
        z.Backward();
        Expect.Elements(y.Grad, 16);
        Expect.Elements(x.Grad, 32);
    }

    [Fact]
    public void TheHeadItselfMayBeAttached()
    {
        NDArray x = Leaf.Of(1, 2);
        NDArray y;
        using (Autograd.Record()) y = x * 5;
        y.AttachGrad();
        y.Backward(Nd.Array([1f, 10]));
        Expect.Elements(y.Grad, 1, 10);
        Expect.Elements(x.Grad, 5, 50);
    }

    [Fact]
    public void DropGradOnAnIntermediateKeepsItsHistory()
    {
        NDArray x = Leaf.Of(2);
        NDArray y;
        using (Autograd.Record())
        {
            y = x * x;
            y.AttachGrad();
            NDArray z = y * 3;
            y.DropGrad();
            z.Backward();
        }

        Assert.Null(y.Grad);
        Expect.Elements(x.Grad, 12);
    }

    [Fact]
    public void DropGradOnALeafForgetsTheVariable()
    {
        NDArray x = Leaf.Of(2);
        x.DropGrad();
        Assert.Null(x.Grad);
        Assert.False(x.FreshGrad);
        NDArray y;
        using (Autograd.Record()) y = x * x;
        Expect.Throws<AutogradException>(() => y.Backward(), "no input requires a gradient");
    }

    [Fact]
    public void AttachingALeafAgainMakesAFreshVariable()
    {
        NDArray x = Leaf.Of(2);
        NDArray y;
        using (Autograd.Record()) y = x * x;
        NDArray before = x.Grad!;
        x.AttachGrad();
        Assert.NotSame(before, x.Grad);
        y.Backward();
        Expect.Elements(x.Grad, 0);
        Assert.False(x.FreshGrad);
        Expect.Elements(before, 4);
    }

    [Fact]
    public void ALeafThatBackwardDoesNotReachKeepsItsGradientAndIsNotFresh()
    {
        NDArray x = Leaf.Of(1);
        NDArray other = Leaf.Of(1);
        other.Grad!.Fill(7);
        using (Autograd.Record()) (x * 2).Backward();
        Assert.True(x.FreshGrad);
        Assert.False(other.FreshGrad);
        Expect.Elements(other.Grad, 7);
    }

    [Fact]
    public void FreshnessIsSetByBackwardAndClearedByTheConsumer()
    {
        // MXNet's test_detach_updated_grad.
        NDArray x = Nd.Ones((2, 2)), dx = Nd.Zeros((2, 2)), y = Nd.Ones((2, 2)), dy = Nd.Zeros((2, 2));
        Autograd.MarkVariables([x, y], [dx, dy]);
        Assert.False(x.FreshGrad || y.FreshGrad);
        using (Autograd.Record()) (x + 2 + y).Backward();
        Assert.True(x.FreshGrad && y.FreshGrad);
        Expect.Elements(dx, 1, 1, 1, 1);
        dx.Fill(0);
        x.FreshGrad = y.FreshGrad = false;
        using (Autograd.Record()) ((x + 2).Detach() + y).Backward();
        Expect.Elements(dx, 0, 0, 0, 0);
        Assert.True(y.FreshGrad);
        Assert.False(x.FreshGrad);
    }

    [Fact]
    public void TheBufferIsOneArrayForTheLifeOfTheVariable()
    {
        NDArray x = Leaf.Of(1, 2);
        NDArray grad = x.Grad!;
        for (int i = 1; i <= 2; i++)
        {
            using (Autograd.Record()) (x * i).Backward();
            Assert.Same(grad, x.Grad);
            Expect.Elements(grad, i, i);
        }
    }

    [Fact]
    public void AGradientIsReadableAsASpanEvenWhenItWasBroadcast()
    {
        NDArray x = Leaf.Attached(Nd.Ones((2, 3)));
        using (Autograd.Record()) x.Sum().Backward();
        Assert.Equal([1, 1, 1, 1, 1, 1], x.Grad!.AsSpan<float>().ToArray());
        using (Autograd.Record()) x.Transpose().Mean(0).Backward(Nd.Array([3f, 6]));
        Assert.Equal([1, 1, 1, 2, 2, 2], x.Grad!.AsSpan<float>().ToArray());
    }

    [Fact]
    public void AKeptGradientIsNotChangedByTheNextBackwardWhenItWasCopied()
    {
        NDArray x = Leaf.Of(1);
        using (Autograd.Record()) (x * 2).Backward();
        NDArray view = x.Grad![..];
        using (Autograd.Record()) (x * 3).Backward();
        Expect.Elements(view, 2);
        Expect.Elements(x.Grad, 3);
    }

    [Fact]
    public void AnIntermediateWhoseGraphWasReleasedBecomesALeaf()
    {
        NDArray x = Leaf.Of(6, 4);
        NDArray second;
        using (Autograd.Record())
        {
            second = new CustomFunctionTests.QuotientAndProduct().Apply(x, Nd.Array([2f, 2]))[1];
            second.Backward();
        }

        second.AttachGrad();
        using (Autograd.Record()) Expect.Elements(Autograd.Grad(second * 3, second), 3, 3);
        Expect.Elements(x.Grad, 2, 2);
    }

    [Fact]
    public void MarkVariablesWritesTheCallersBuffers()
    {
        NDArray x = Nd.Array([1f, 2]), dx = Nd.Zeros(2), y = Nd.Array([3f, 4]), dy = Nd.Ones(2);
        Autograd.MarkVariables([x, y], [dx, dy], [GradReq.Write, GradReq.Add]);
        Assert.Same(dx, x.Grad);
        Assert.Equal((GradReq.Write, GradReq.Add), (x.GradReq, y.GradReq));
        using (Autograd.Record()) (x * y).Backward();
        Expect.Elements(dx, 3, 4);
        Expect.Elements(dy, 2, 3);
        Autograd.MarkVariables(x, dy, GradReq.Null);
        Assert.Null(x.Grad);
        Autograd.MarkVariables([x], [dx], GradReq.Add);
        Assert.Equal(GradReq.Add, x.GradReq);
    }

    [Fact]
    public void ABufferOfAnotherTypeReceivesTheConvertedGradient()
    {
        NDArray x = Nd.Array([1.5f]), dx = Nd.Zeros(1, DType.Float64);
        Autograd.MarkVariables(x, dx);
        using (Autograd.Record()) (x * x).Backward();
        Assert.Equal(DType.Float64, dx.DType);
        Expect.Elements(dx, 3);
    }

    [Fact]
    public void MarkVariablesChecksEverythingBeforeItMarksAnything()
    {
        NDArray x = Nd.Ones(2), y = Nd.Ones(3), dx = Nd.Zeros(2);
        Expect.Throws<ShapeException>(() => Autograd.MarkVariables([x, y], [dx, dx]), "MarkVariables", "(2,)", "(3,)");
        Expect.Throws<ArgumentException>(() => Autograd.MarkVariables([x, y], [dx]), "2 variables, 1 gradients");
        Expect.Throws<ArgumentException>(() => Autograd.MarkVariables([x], [dx], [GradReq.Add, GradReq.Add]), "2 requests");
        Expect.Throws<DTypeException>(() => Autograd.MarkVariables([x, Nd.Zeros(2, DType.Int32)], [dx, Nd.Zeros(2)]), "Int32");
        Expect.Throws<DTypeException>(() => Autograd.MarkVariables([x, Nd.Zeros(2)], [dx, Nd.Zeros(2, DType.Int64)]), "Int64");
        Expect.Throws<ArgumentNullException>(() => Autograd.MarkVariables([x, null!], [dx, dx]));
        Expect.Throws<ArgumentNullException>(() => Autograd.MarkVariables([x, x], [dx, null!]));
        Expect.Throws<ArgumentOutOfRangeException>(() => Autograd.MarkVariables([x, x], [dx, dx], (GradReq)9), "MarkVariables");
        Assert.Null(x.Grad);
    }

    [Fact]
    public void OnlyLiveFloatingPointArraysCanBeAttached()
    {
        foreach (DType dtype in new[] { DType.Int32, DType.Int64, DType.UInt8, DType.Bool })
            Expect.Throws<DTypeException>(() => Nd.Ones(2, dtype).AttachGrad(), "AttachGrad", dtype.ToString(), "AsType(DType.Float32)");
        NDArray gone = Nd.Ones(2);
        gone.Dispose();
        Expect.Throws<ObjectDisposedException>(() => gone.AttachGrad(), "AttachGrad");
        Expect.Throws<ArgumentOutOfRangeException>(() => Nd.Ones(2).AttachGrad((GradReq)3), "AttachGrad");
    }

    [Fact]
    public void DetachSharesTheValueAndStopsTheGradient()
    {
        NDArray x = Leaf.Of(3);
        using (Autograd.Record())
        {
            NDArray y = x * x;
            (y.Detach() * x + Nd.StopGradient(y) * x).Backward();
        }

        Expect.Elements(x.Grad, 18);
        NDArray copy = x.Detach();
        Assert.Null(copy.Grad);
        copy.Fill(5);
        Expect.Elements(x, 3);
    }

    [Fact]
    public void ADetachedArrayCanBecomeAVariable()
    {
        NDArray x = Leaf.Of(3);
        NDArray y;
        using (Autograd.Record()) y = (x * x).Detach();
        y.AttachGrad();
        using (Autograd.Record()) (y * y).Backward();
        Expect.Elements(y.Grad, 18);
        Expect.Elements(x.Grad, 0);
    }

    [Fact]
    public void FunctionsThatHaveNothingToDoReturnAnArrayOfItsOwn()
    {
        NDArray x = Leaf.Of(1, 2);
        foreach (Func<NDArray, NDArray> f in new Func<NDArray, NDArray>[] { static a => a.Dropout(0.5), static a => a.BroadcastTo(2), static a => a.Dropout(0) })
        {
            NDArray y = f(x);
            Assert.NotSame(x, y);
            y.Fill(9);
            Expect.Elements(x, 1, 2);
            using (Autograd.Record(trainMode: false)) f(x).Backward();
            Expect.Elements(x.Grad, 1, 1);
            using (Autograd.Record(trainMode: false)) f(x).AttachGrad();
            Expect.Elements(x.Grad, 1, 1);
        }
    }
}
