namespace Fusion.Kernels;

/// <summary>The operations of <see cref="ILane{L}"/> that a <see cref="TreeTarget"/> writes as nodes, by the names of the lane's methods.</summary>
internal enum LaneOp
{
    Add,
    Subtract,
    Multiply,
    Divide,
    Negate,
    Fma,
    MinNative,
    MaxNative,
    Sqrt,
    Abs,
    Round,
    Floor,
    Ceiling,
    Truncate,
    ScaleB,
    Remainder,

    /// <summary>The first argument is the <see cref="AngleFunction"/>, a constant.</summary>
    LargeAngle,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Equal,
    NotEqual,
    Select,
    And,
    Or,
    Xor,
    Not,
    AddInteger,
    SubtractInteger,

    /// <summary>The second argument of a shift is the count, a constant.</summary>
    ShiftLeft,
    ShiftRightArithmetic,
    ShiftRightLogical,
    ToInteger,
    FromInteger,

    /// <summary>Division of integers rounded down; not an operation of lanes, no vector unit has it.</summary>
    FloorDivide,

    /// <summary>The remainder of <see cref="FloorDivide"/>.</summary>
    Mod,
}
