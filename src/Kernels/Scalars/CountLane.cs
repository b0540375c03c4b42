namespace Fusion.Kernels;

/// <summary>A lane that only counts the operators of a formula as <see cref="TreeLane"/> would write them; constants are free.</summary>
internal readonly struct CountLane : ILane<CountLane>
{
    [ThreadStatic]
    private static int s_count;

    public static bool Is64 => false;

    public static bool HasScaleB => true;

    /// <summary>The operators that <paramref name="formula"/> executes.</summary>
    public static int Count(Func<CountLane> formula)
    {
        s_count = 0;
        formula();
        return s_count;
    }

    public static CountLane Const(double value) => default;

    public static CountLane Bits(long pattern) => default;

    public static CountLane operator +(CountLane a, CountLane b) => One();

    public static CountLane operator -(CountLane a, CountLane b) => One();

    public static CountLane operator *(CountLane a, CountLane b) => One();

    public static CountLane operator /(CountLane a, CountLane b) => One();

    public static CountLane operator -(CountLane a) => One();

    public static CountLane Fma(CountLane a, CountLane b, CountLane c) => One();

    public static CountLane MinNative(CountLane a, CountLane b) => One();

    public static CountLane MaxNative(CountLane a, CountLane b) => One();

    public static CountLane Sqrt(CountLane a) => One();

    public static CountLane Abs(CountLane a) => One();

    public static CountLane Round(CountLane a) => One();

    public static CountLane Floor(CountLane a) => One();

    public static CountLane Ceiling(CountLane a) => One();

    public static CountLane Truncate(CountLane a) => One();

    public static CountLane ScaleB(CountLane x, CountLane n) => One();

    public static CountLane Remainder(CountLane a, CountLane b) => One();

    public static CountLane LargeAngle(AngleFunction function, CountLane x, CountLane value) => One();

    public static CountLane LogEdges(CountLane x, CountLane y) => One();

    public static CountLane Less(CountLane a, CountLane b) => One();

    public static CountLane LessOrEqual(CountLane a, CountLane b) => One();

    public static CountLane Greater(CountLane a, CountLane b) => One();

    public static CountLane GreaterOrEqual(CountLane a, CountLane b) => One();

    public static CountLane Equal(CountLane a, CountLane b) => One();

    public static CountLane NotEqual(CountLane a, CountLane b) => One();

    public static CountLane Select(CountLane mask, CountLane a, CountLane b) => One();

    public static CountLane And(CountLane a, CountLane b) => One();

    public static CountLane Or(CountLane a, CountLane b) => One();

    public static CountLane Xor(CountLane a, CountLane b) => One();

    public static CountLane Not(CountLane a) => One();

    public static CountLane AddInteger(CountLane a, CountLane b) => One();

    public static CountLane SubtractInteger(CountLane a, CountLane b) => One();

    public static CountLane ShiftLeft(CountLane a, int count) => One();

    public static CountLane ShiftRightArithmetic(CountLane a, int count) => One();

    public static CountLane ShiftRightLogical(CountLane a, int count) => One();

    public static CountLane ToInteger(CountLane a) => One();

    public static CountLane FromInteger(CountLane a) => One();

    private static CountLane One()
    {
        s_count++;
        return default;
    }
}
