namespace Fusion.Tests;

/// <summary>Recording and training are two flags of the thread; scopes set and restore both.</summary>
[Collection(nameof(RandomStream))]
public sealed class ScopeTests
{
    private static (bool Recording, bool Training) Flags => (Autograd.IsRecording, Autograd.IsTraining);

    [Fact]
    public void EachScopeSetsItsFlagsAndRestoresBoth()
    {
        Assert.Equal((false, false), Flags);
        using (Autograd.Record())
        {
            Assert.Equal((true, true), Flags);
            using (Autograd.Pause()) Assert.Equal((false, false), Flags);
            using (Autograd.Pause(trainMode: true)) Assert.Equal((false, true), Flags);
            using (Autograd.PredictMode())
            {
                Assert.Equal((true, false), Flags);
                using (Autograd.TrainMode()) Assert.Equal((true, true), Flags);
                Assert.Equal((true, false), Flags);
            }

            using (Autograd.Record(trainMode: false)) Assert.Equal((true, false), Flags);
            Assert.Equal((true, true), Flags);
        }

        Assert.Equal((false, false), Flags);
        using (Autograd.TrainMode()) Assert.Equal((false, true), Flags);
        using (Autograd.PredictMode()) Assert.Equal((false, false), Flags);
        Assert.Equal((false, false), Flags);
    }

    [Fact]
    public void ScopesRestoreTheFlagsWhenAnExceptionLeavesThem()
    {
        using (Autograd.PredictMode())
        {
            Assert.Throws<InvalidTimeZoneException>(static void () =>
            {
                using (Autograd.Record())
                using (Autograd.Pause())
                    throw new InvalidTimeZoneException();
            });
            Assert.Equal((false, false), Flags);
        }

        using (Autograd.Record())
        {
            Assert.Throws<ShapeException>(() =>
            {
                using (Autograd.Pause(trainMode: true)) _ = Nd.Zeros(2) + Nd.Zeros(3);
            });
            Assert.Equal((true, true), Flags);
        }
    }

    [Fact]
    public void SettersReturnThePreviousState()
    {
        Assert.False(Autograd.SetRecording(true));
        Assert.True(Autograd.IsRecording);
        Assert.False(Autograd.IsTraining);
        Assert.False(Autograd.SetTraining(true));
        Assert.True(Autograd.SetTraining(false));
        Assert.True(Autograd.SetRecording(false));
        Assert.Equal((false, false), Flags);
    }

    [Fact]
    public void FlagsSetInsideAScopeEndWithIt()
    {
        using (Autograd.Record())
        {
            Autograd.SetRecording(false);
            Autograd.SetTraining(false);
        }

        Assert.Equal((false, false), Flags);
        using (Autograd.Pause()) Autograd.SetRecording(true);
        Assert.Equal((false, false), Flags);
    }

    [Fact]
    public void EndingAScopeEndsThoseInIt()
    {
        RecordScope outer = Autograd.Record();
        RecordScope inner = Autograd.Pause();
        outer.Dispose();
        Assert.Equal((false, false), Flags);
        inner.Dispose();
        Assert.Equal((false, false), Flags);
        using (Autograd.TrainMode())
        using (Autograd.Record(trainMode: false))
        {
            inner.Dispose();
            outer.Dispose();
            Assert.Equal((true, false), Flags);
        }

        Assert.Equal((false, false), Flags);
    }

    [Fact]
    public void AScopeEndsOnce()
    {
        using (Autograd.PredictMode())
        {
            RecordScope scope = Autograd.Record();
            scope.Dispose();
            using (Autograd.TrainMode())
            {
                scope.Dispose();
                Assert.Equal((false, true), Flags);
            }

            Autograd.SetRecording(true);
            scope.Dispose();
            Assert.Equal((true, false), Flags);
        }

        Assert.Equal((false, false), Flags);
    }

    [Fact]
    public void ScopesThatNobodyEndedEndWithTheOneAround()
    {
        using (Autograd.PredictMode())
        {
            for (int i = 0; i < 100; i++) _ = Autograd.Record();
            Assert.Equal((true, true), Flags);
        }

        Assert.Equal((false, false), Flags);
    }

    [Fact]
    public void AScopeCannotLeaveItsMethodOrCrossAnAwait() => Assert.True(typeof(RecordScope).IsByRefLike);

    [Fact]
    public void NothingIsRecordedInAPause()
    {
        NDArray x = Leaf.Of(3);
        NDArray factor;
        NDArray y;
        using (Autograd.Record())
        {
            using (Autograd.Pause()) factor = x * x;
            y = x * factor;
        }

        y.Backward();
        Expect.Elements(x.Grad, 9);
        Expect.Throws<AutogradException>(() => factor.Backward(), "never recorded");
    }

    [Fact]
    public void DropoutFollowsTheTrainingFlag()
    {
        Nd.Random.Seed(11);
        NDArray x = Leaf.Attached(Nd.Ones((10, 10)));
        using (Autograd.Record(trainMode: true))
        {
            NDArray y = x.Dropout(0.5);
            AssertDropped(y);
            y.Backward();
            Expect.Elements(x.Grad, Expect.Doubles(y));
            using (Autograd.PredictMode())
            {
                NDArray z = x.Dropout(0.5);
                Assert.Equal(1, z.Min().Item<float>());
                z.Backward(trainMode: false);
                Assert.All(Expect.Doubles(x.Grad!), static g => Assert.Equal(1, g));
            }
        }

        using (Autograd.Record(trainMode: false))
        {
            Assert.Equal(Expect.Doubles(x), Expect.Doubles(x.Dropout(0.5)));
            using (Autograd.TrainMode()) AssertDropped(x.Dropout(0.5));
            using (Autograd.Pause()) Assert.Equal(Expect.Doubles(x), Expect.Doubles(x.Dropout(0.5)));
        }

        Assert.Equal(Expect.Doubles(x), Expect.Doubles(x.Dropout(0.5)));
        using (Autograd.TrainMode()) AssertDropped(x.Dropout(0.5));
    }

    private static void AssertDropped(NDArray y)
    {
        Assert.Equal(2, y.Max().Item<float>());
        Assert.Equal(0, y.Min().Item<float>());
    }
}
